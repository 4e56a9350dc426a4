//! Tokens that are known by their prefix.

/// Prefixes of tokens with their minimum lengths, below the page that documents them. The lengths
/// are well below the real ones, so that a shortened or made-up token is found, too.
#[rustfmt::skip]
const TOKENS: &[(&str, usize)] = &[
    // TrueFoundry's CLI recognizes its personal access tokens by it.
    ("tfy_", 20),
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    ("AKIA", 20), ("ASIA", 20),
    // https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    ("ghp_", 20), ("gho_", 20), ("ghu_", 20), ("ghs_", 20), ("ghr_", 20), ("github_pat_", 24),
    // https://docs.gitlab.com/security/tokens/#token-prefixes
    ("glpat-", 20), ("gldt-", 20), ("glrt-", 20), ("glptt-", 20), ("glcbt-", 20), ("glft-", 20), ("glimt-", 20),
    ("glagent-", 20), ("glsoat-", 20), ("gloas-", 20),
    // https://docs.slack.dev/authentication/tokens/
    ("xoxb-", 20), ("xoxp-", 20), ("xoxa-", 20), ("xoxr-", 20), ("xoxs-", 20), ("xoxe-", 20), ("xoxe.", 20),
    ("xapp-", 20),
    // https://docs.stripe.com/keys
    ("sk_live_", 20), ("sk_test_", 20), ("rk_live_", 20), ("rk_test_", 20),
    // https://docs.stripe.com/webhooks/signature
    ("whsec_", 20),
    // https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes
    ("hvs.", 20), ("hvb.", 20), ("hvr.", 20),
    // https://platform.openai.com/docs/api-reference/authentication; Anthropic, LiteLLM, Langfuse and others after it.
    ("sk-", 20),
    // https://huggingface.co/docs/hub/security-tokens
    ("hf_", 20),
    // https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors
    ("gsk_", 20), ("xai-", 20), ("nvapi-", 20), ("pcsk_", 20), ("lsv2_", 20), ("ya29.", 20), ("dckr_pat_", 20),
    // https://replicate.com/docs/topics/security/api-tokens
    ("r8_", 20),
    // https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml
    ("pplx-", 20), ("AIza", 30), ("dapi", 32), ("npm_", 30), ("pypi-", 24), ("rubygems_", 24), ("dop_v1_", 24),
    ("doo_v1_", 24), ("dor_v1_", 24), ("SG.", 24), ("shpat_", 24), ("shpss_", 24), ("glsa_", 24), ("glc_", 24),
    ("NRAK-", 20), ("sntrys_", 24), ("sntryu_", 24), ("lin_api_", 24), ("ntn_", 24), ("ATATT3", 24), ("PMAK-", 24),
    ("pul-", 24), ("dp.pt.", 24), ("ops_eyJ", 24), ("AGE-SECRET-KEY-1", 24),
    // Private keys, https://www.rfc-editor.org/rfc/rfc7468, in Base64: `-----BEGIN PRIVATE`, `RSA`, `EC P`, `OPENSSH`.
    ("LS0tLS1CRUdJTiBQUklW", 24), ("LS0tLS1CRUdJTiBSU0Eg", 24), ("LS0tLS1CRUdJTiBFQyBQ", 24),
    ("LS0tLS1CRUdJTiBPUEVOU1NI", 24),
];

/// Addresses that are secrets themselves: knowing one is enough to post.
const WEBHOOKS: &[&str] = &[
    // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    "https://hooks.slack.com/services/",
    // https://discord.com/developers/docs/resources/webhook
    "https://discord.com/api/webhooks/",
];

/// No token is shorter.
const MIN: usize = 20;

/// Whether the text is one token.
pub(super) fn is_token(text: &str) -> bool {
    text.len() >= MIN
        && text.chars().all(|c| is_of_token(c) || "+/=".contains(c))
        && begins_like_one(text)
        || WEBHOOKS.iter().any(|url| {
            let rest = text.strip_prefix(*url);
            rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
        })
}

/// The kind of secret that is somewhere in the text.
pub(super) fn within(text: &str) -> Option<&'static str> {
    if text.len() < MIN {
        return None;
    }
    let has_token = text.split(|c| !is_of_token(c)).any(|run| {
        let run = run.trim_start_matches(['-', '.']);
        run.len() >= MIN && begins_like_one(run)
    });
    let is_webhook = || {
        WEBHOOKS.iter().any(|url| {
            let rest = text.find(*url).and_then(|at| text.get(at + url.len()..));
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        })
    };
    (has_token || is_webhook()).then_some("value looks like a known kind of token")
}

fn begins_like_one(run: &str) -> bool {
    // `sk-learn-model-server` is an image.
    let is_words = || run.starts_with("sk-") && run.split(['-', '_']).all(|part| part.len() < 8);
    let is_one = |(beginning, min): &(&str, usize)| run.len() >= *min && run.starts_with(beginning);
    is_jwt(run) || (TOKENS.iter().any(is_one) && !is_words())
}

/// Three parts in Base64, the first of which begins with `{"`: RFC 7519.
fn is_jwt(run: &str) -> bool {
    run.starts_with("eyJ") && run.split('.').filter(|part| part.len() > 8).count() == 3
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}
