//! The consumer: the one thread that drains the ring, folds into the ledger,
//! commits, publishes, and only then hands the slots back.

#[cfg(not(loom))]
mod checkpointer;
#[cfg(not(loom))]
mod core;
mod mailbox;
#[cfg(not(loom))]
mod restart;
#[cfg(not(loom))]
mod run;
mod ticket;
#[cfg(not(loom))]
mod trigger;

#[cfg(not(loom))]
pub(crate) use checkpointer::Checkpointer;
#[cfg(not(loom))]
pub(crate) use core::Core;
pub(crate) use mailbox::{Command, Mailbox};
#[cfg(not(loom))]
pub(crate) use run::{Consumer, Parts};
#[cfg(loom)]
pub(crate) use ticket::{Ticket, Wait};
pub(crate) use ticket::{Waited, ticket};
#[cfg(not(loom))]
pub(crate) use trigger::Pace;
