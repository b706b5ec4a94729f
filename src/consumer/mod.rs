//! The consumer: the one thread that drains the ring, folds into the ledger,
//! commits, publishes, and only then hands the slots back.

#[cfg(not(loom))]
mod checkpointer;
#[cfg(not(loom))]
mod core;
mod mailbox;
mod over;
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
#[cfg(loom)]
pub(crate) use mailbox::Command;
pub(crate) use mailbox::Mailbox;
pub(crate) use over::Over;
#[cfg(not(loom))]
pub(crate) use run::{Consumer, Parts};
pub(crate) use ticket::Waited;
#[cfg(loom)]
pub(crate) use ticket::{Ticket, Wait};
#[cfg(not(loom))]
pub(crate) use trigger::Pace;
