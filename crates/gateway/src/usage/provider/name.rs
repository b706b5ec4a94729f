//! Names of providers.

use std::fmt;
use std::str::FromStr;

/// Who answered a call, and bills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// OpenAI.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Google's Gemini interface.
    Gemini,
    /// Google's Vertex AI, whoever made the model.
    Vertex,
    /// Amazon Bedrock, whoever made the model.
    Bedrock,
    /// Azure OpenAI and Azure AI Foundry.
    AzureOpenAi,
    /// Mistral.
    Mistral,
    /// Cohere.
    Cohere,
    /// DeepSeek.
    DeepSeek,
    /// Groq.
    Groq,
    /// xAI.
    Xai,
    /// OpenRouter.
    OpenRouter,
    /// Ollama.
    Ollama,
    /// vLLM.
    Vllm,
    /// Perplexity.
    Perplexity,
    /// Together.
    Together,
    /// Hugging Face's router.
    HuggingFace,
    /// Writer.
    Writer,
    /// GPUStack.
    GpuStack,
    /// Cerebras.
    Cerebras,
    /// Fireworks.
    Fireworks,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::OpenAi,
        Self::Anthropic,
        Self::Gemini,
        Self::Vertex,
        Self::Bedrock,
        Self::AzureOpenAi,
        Self::Mistral,
        Self::Cohere,
        Self::DeepSeek,
        Self::Groq,
        Self::Xai,
        Self::OpenRouter,
        Self::Ollama,
        Self::Vllm,
        Self::Perplexity,
        Self::Together,
        Self::HuggingFace,
        Self::Writer,
        Self::GpuStack,
        Self::Cerebras,
        Self::Fireworks,
    ];

    /// The name that is recorded and printed, for example `azure_openai`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Vertex => "vertex",
            Self::Bedrock => "bedrock",
            Self::AzureOpenAi => "azure_openai",
            Self::Mistral => "mistral",
            Self::Cohere => "cohere",
            Self::DeepSeek => "deepseek",
            Self::Groq => "groq",
            Self::Xai => "xai",
            Self::OpenRouter => "openrouter",
            Self::Ollama => "ollama",
            Self::Vllm => "vllm",
            Self::Perplexity => "perplexity",
            Self::Together => "together",
            Self::HuggingFace => "huggingface",
            Self::Writer => "writer",
            Self::GpuStack => "gpustack",
            Self::Cerebras => "cerebras",
            Self::Fireworks => "fireworks",
        }
    }

    /// Other names for it, as LiteLLM and OpenTelemetry have them.
    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Gemini => &["google", "gcp.gemini", "google_ai_studio"],
            Self::Vertex => &["vertex_ai", "gcp.vertex_ai", "vertexai"],
            Self::Bedrock => &["aws.bedrock", "aws_bedrock", "bedrock_converse", "amazon"],
            Self::AzureOpenAi => &["azure", "azure_ai", "azure.ai.openai", "azure.ai.inference"],
            Self::Mistral => &["mistral_ai", "mistralai"],
            Self::Xai => &["x_ai"],
            Self::Vllm => &["hosted_vllm"],
            Self::Perplexity => &["perplexity_ai"],
            Self::Together => &["together_ai", "togetherai"],
            Self::HuggingFace => &["hugging_face"],
            Self::Fireworks => &["fireworks_ai"],
            _ => &[],
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no provider has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProvider {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no provider is called {:?}; known are", self.name)?;
        for (at, provider) in Provider::ALL.iter().enumerate() {
            write!(f, "{} {provider}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownProvider {}

impl FromStr for Provider {
    type Err = UnknownProvider;

    /// Takes [`name`](Provider::name) or an alias such as `azure` or
    /// `vertex_ai`; case, and `-` for `_`, don't matter.
    ///
    /// ```
    /// use quipu_gateway::usage::Provider;
    ///
    /// assert_eq!("Azure-OpenAI".parse(), Ok(Provider::AzureOpenAi));
    /// assert!("acme".parse::<Provider>().is_err());
    /// ```
    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let folded = name.trim().to_ascii_lowercase().replace('-', "_");
        let is_named = |provider: &Self| {
            provider.name() == folded || provider.aliases().contains(&folded.as_str())
        };
        let found = Self::ALL.into_iter().find(is_named);
        found.ok_or_else(|| UnknownProvider { name: name.into() })
    }
}
