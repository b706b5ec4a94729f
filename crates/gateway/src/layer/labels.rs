//! What a handler knows of a call, and nobody else can.

use crate::usage::Provider;

/// Says whose call it is, and of which model. A service inside of the layer
/// puts it into the extensions of its response, one outside into those of the
/// request; what the response has goes first.
///
/// ```
/// use quipu_gateway::layer::Labels;
///
/// let mut response = http::Response::new(());
/// let labels = Labels::new().tenant("acme").provider_name("our cluster");
/// response.extensions_mut().insert(labels);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    pub(super) tenant: Option<String>,
    pub(super) provider: Option<Provider>,
    pub(super) provider_name: Option<String>,
    pub(super) model: Option<String>,
}

impl Labels {
    /// Labels that say nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Who answers: decides how the body is read, too.
    #[must_use]
    pub const fn provider(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// The name to record for who answers, in place of
    /// [`Provider::name`].
    #[must_use]
    pub fn provider_name(mut self, name: impl Into<String>) -> Self {
        self.provider_name = Some(name.into());
        self
    }

    /// The model's name to record, whatever the body says.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// These, and what only the `others` say.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            tenant: self.tenant.or(others.tenant),
            provider: self.provider.or(others.provider),
            provider_name: self.provider_name.or(others.provider_name),
            model: self.model.or(others.model),
        }
    }
}
