//! Tokens that are known by their beginning.

/// How a token begins, how long it is at least, whose it is, and where that is documented.
struct Token {
    prefix: &'static str,
    min: usize,
    source: &'static str,
}

const fn token(prefix: &'static str, min: usize, source: &'static str) -> Token {
    Token { prefix, min, source }
}

const GITHUB: &str = "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/";
const GITLAB: &str = "https://docs.gitlab.com/security/tokens/#token-prefixes";
const AWS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html";
const SLACK: &str = "https://docs.slack.dev/authentication/tokens/";
const STRIPE: &str = "https://docs.stripe.com/keys";
const VAULT: &str = "https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes";
const PEM: &str = "https://www.rfc-editor.org/rfc/rfc7468";
/// Where the owner does not document the form.
const GITLEAKS: &str = "https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml";

/// The lengths are well below the real ones, so that a shortened or made-up token is found, too.
const TOKENS: &[Token] = &[
    token("tfy_", 20, "personal access tokens of TrueFoundry, as its CLI tells them from others"),
    token("AKIA", 20, AWS),
    token("ASIA", 20, AWS),
    token("ghp_", 20, GITHUB),
    token("gho_", 20, GITHUB),
    token("ghu_", 20, GITHUB),
    token("ghs_", 20, GITHUB),
    token("ghr_", 20, GITHUB),
    token("github_pat_", 24, GITHUB),
    token("glpat-", 20, GITLAB),
    token("gldt-", 20, GITLAB),
    token("glrt-", 20, GITLAB),
    token("glptt-", 20, GITLAB),
    token("glcbt-", 20, GITLAB),
    token("glft-", 20, GITLAB),
    token("glimt-", 20, GITLAB),
    token("glagent-", 20, GITLAB),
    token("glsoat-", 20, GITLAB),
    token("gloas-", 20, GITLAB),
    token("xoxb-", 20, SLACK),
    token("xoxp-", 20, SLACK),
    token("xoxa-", 20, SLACK),
    token("xoxr-", 20, SLACK),
    token("xoxs-", 20, SLACK),
    token("xoxe-", 20, SLACK),
    token("xoxe.", 20, SLACK),
    token("xapp-", 20, SLACK),
    token("sk_live_", 20, STRIPE),
    token("sk_test_", 20, STRIPE),
    token("rk_live_", 20, STRIPE),
    token("rk_test_", 20, STRIPE),
    token("whsec_", 20, "https://docs.stripe.com/webhooks/signature"),
    token("hvs.", 20, VAULT),
    token("hvb.", 20, VAULT),
    token("hvr.", 20, VAULT),
    // OpenAI, and Anthropic, OpenRouter, DeepSeek, LiteLLM, Langfuse after it.
    token("sk-", 20, "https://platform.openai.com/docs/api-reference/authentication"),
    token("hf_", 20, "https://huggingface.co/docs/hub/security-tokens"),
    token("gsk_", 20, "https://console.groq.com/docs/quickstart"),
    token("r8_", 20, "https://replicate.com/docs/topics/security/api-tokens"),
    token("pplx-", 20, GITLEAKS),
    token("xai-", 20, "https://docs.x.ai/docs/tutorial"),
    token("nvapi-", 20, "https://docs.api.nvidia.com/nim/docs/api-quickstart"),
    token("pcsk_", 20, "https://docs.pinecone.io/guides/projects/manage-api-keys"),
    token("lsv2_", 20, "https://docs.langchain.com/langsmith/create-account-api-key"),
    token("AIza", 30, GITLEAKS),
    token("GOCSPX-", 20, GITLEAKS),
    token("ya29.", 20, "https://developers.google.com/identity/protocols/oauth2"),
    token("dapi", 32, GITLEAKS),
    token("npm_", 30, "https://docs.npmjs.com/about-access-tokens"),
    token("pypi-", 24, "https://pypi.org/help/#apitoken"),
    token("rubygems_", 24, "https://guides.rubygems.org/api-key-scopes/"),
    token("dckr_pat_", 20, "https://docs.docker.com/security/access-tokens/"),
    token(
        "dop_v1_",
        24,
        "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
    ),
    token("doo_v1_", 24, GITLEAKS),
    token("dor_v1_", 24, GITLEAKS),
    token("SG.", 24, "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys"),
    token(
        "shpat_",
        24,
        "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens",
    ),
    token("shpss_", 24, GITLEAKS),
    token("glsa_", 24, "https://grafana.com/docs/grafana/latest/administration/service-accounts/"),
    token("glc_", 24, GITLEAKS),
    token("NRAK-", 20, "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"),
    token("sntrys_", 24, "https://docs.sentry.io/account/auth-tokens/"),
    token("sntryu_", 24, "https://docs.sentry.io/account/auth-tokens/"),
    token("lin_api_", 24, GITLEAKS),
    token("ntn_", 24, "https://developers.notion.com/reference/authentication"),
    token("figd_", 24, GITLEAKS),
    token("ATATT3", 24, GITLEAKS),
    token("PMAK-", 24, GITLEAKS),
    token("pul-", 24, "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/"),
    token("dp.pt.", 24, "https://docs.doppler.com/docs/service-tokens"),
    token("ops_eyJ", 24, "https://developer.1password.com/docs/service-accounts/"),
    token("AGE-SECRET-KEY-1", 24, "https://age-encryption.org/v1"),
    // Private keys in Base64: `-----BEGIN PRIVATE`, `RSA`, `EC P`, `OPENSSH`.
    token("LS0tLS1CRUdJTiBQUklW", 24, PEM),
    token("LS0tLS1CRUdJTiBSU0Eg", 24, PEM),
    token("LS0tLS1CRUdJTiBFQyBQ", 24, PEM),
    token("LS0tLS1CRUdJTiBPUEVOU1NI", 24, PEM),
];

/// Addresses that are a secret themselves: whoever knows one may post.
const WEBHOOKS: &[(&str, &str)] = &[
    (
        "https://hooks.slack.com/services/",
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
    ),
    ("https://discord.com/api/webhooks/", "https://discord.com/developers/docs/resources/webhook"),
    (
        "https://hooks.zapier.com/hooks/catch/",
        "https://help.zapier.com/hc/en-us/articles/8496288690317",
    ),
];

/// No token is shorter.
const MIN: usize = 20;

/// Whether the text is one token.
pub(super) fn is_token(text: &str) -> bool {
    text.len() >= MIN
        && text.chars().all(|c| is_of_token(c) || "+/=".contains(c))
        && begins_like_one(text)
        || WEBHOOKS.iter().any(|(url, _)| {
            let rest = text.strip_prefix(url);
            rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
        })
}

/// The kind of secret that stands somewhere in the text.
pub(super) fn within(text: &str) -> Option<&'static str> {
    if text.len() < MIN {
        return None;
    }
    let has_token = text.split(|c| !is_of_token(c)).any(|run| {
        let run = run.trim_start_matches(['-', '.']);
        run.len() >= MIN && begins_like_one(run)
    });
    let is_webhook = || {
        WEBHOOKS.iter().any(|(url, _)| {
            let rest = text.find(url).and_then(|at| text.get(at + url.len()..));
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        })
    };
    (has_token || is_webhook()).then_some("value looks like a known kind of token")
}

fn begins_like_one(run: &str) -> bool {
    is_jwt(run)
        || TOKENS.iter().any(|token| {
            debug_assert!(token.source.len() > 8 && token.min >= MIN);
            run.len() >= token.min && run.starts_with(token.prefix)
        })
}

/// Three parts in Base64, the first of which begins with `{"`: RFC 7519.
fn is_jwt(run: &str) -> bool {
    run.starts_with("eyJ") && run.split('.').filter(|part| part.len() > 8).count() == 3
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}
