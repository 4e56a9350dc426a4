//! Secrets by the name of a value.

/// Last words of names that describe a secret but are not one: `TOKEN_URL`, `PASSWORD_MIN_LENGTH`,
/// `KEY_FILE`.
const ABOUT: &[&str] = &[
    "algorithm",
    "arn",
    "audience",
    "backend",
    "class",
    "count",
    "description",
    "dir",
    "duration",
    "enabled",
    "encoding",
    "endpoint",
    "engine",
    "expiration",
    "expiry",
    "field",
    "file",
    "format",
    "fqn",
    "group",
    "header",
    "hint",
    "host",
    "hours",
    "id",
    "ids",
    "interval",
    "issuer",
    "kind",
    "label",
    "length",
    "limit",
    "max",
    "method",
    "min",
    "minutes",
    "mode",
    "ms",
    "name",
    "namespace",
    "path",
    "pattern",
    "policy",
    "port",
    "prefix",
    "provider",
    "ref",
    "required",
    "scope",
    "scopes",
    "selector",
    "seconds",
    "store",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
    "version",
];

/// Words before `key` or `token` that make it something else: of a table, a selector, or a language model.
const OTHER_KEYS: &[&str] = &[
    "annotation",
    "cache",
    "config",
    "dedup",
    "foreign",
    "group",
    "idempotency",
    "label",
    "map",
    "metric",
    "object",
    "partition",
    "password",
    "primary",
    "public",
    "routing",
    "shard",
    "sort",
    "topology",
    "user",
    "username",
];
const OTHER_TOKENS: &[&str] =
    &["bos", "cls", "eos", "mask", "pad", "public", "sep", "special", "stop", "unk"];

/// Fields below which names only say where a secret is, or select something. Of Kubernetes
/// (<https://kubernetes.io/docs/reference/kubernetes-api/>), External Secrets
/// (<https://external-secrets.io/latest/api/spec/>), and common Helm charts.
const POINTERS: &[&str] = &[
    "valueFrom",
    "secretKeyRef",
    "configMapKeyRef",
    "secretRef",
    "configMapRef",
    "envFrom",
    "imagePullSecrets",
    "pullSecrets",
    "remoteRef",
    "secretStoreRef",
    "secretKeys",
    "existingSecret",
    "existingSecrets",
    "matchLabels",
    "matchExpressions",
    "nodeSelector",
    "tolerations",
    "affinity",
    "selector",
    "labels",
    "podLabels",
    "topologySpreadConstraints",
    "encryptedData",
];

/// Names of maps of secrets, whatever their entries are: `tokens: {ci: ...}`.
const COLLECTIONS: &[&str] = &["secrets", "passwords", "tokens", "credentials", "apikeys"];

/// Values that switch something on or off.
const SWITCHES: &[&str] = &[
    "true", "false", "yes", "no", "on", "off", "enabled", "disabled", "enable", "disable", "null",
    "none", "~", "auto", "default", "always", "never", "inherit", "read", "write",
];

/// Whether the value switches something on or off, and so is not a secret.
pub(crate) fn is_switch(value: &str) -> bool {
    SWITCHES.iter().any(|switch| value.eq_ignore_ascii_case(switch))
}

/// Paths of files. A key of AWS can begin with a slash, too.
const FOLDERS: &[&str] = &[
    "/etc/",
    "/var/",
    "/run/",
    "/usr/",
    "/opt/",
    "/home/",
    "/mnt/",
    "/root/",
    "/tmp/",
    "/app/",
    "/certs/",
    "/secrets/",
    "./",
    "../",
    "~/",
];

fn is_path(value: &str) -> bool {
    FOLDERS.iter().any(|folder| value.starts_with(folder)) && !value.contains(char::is_whitespace)
}

/// Whether names below this one only say where a secret is.
pub(crate) fn is_pointer(name: &str) -> bool {
    POINTERS.contains(&name)
}

/// Whether the value is one of a map of secrets: `tokens: {ci: ...}`.
pub(crate) fn is_in_collection(map: &str, name: &str, value: &str) -> bool {
    let map = words(map).concat();
    let last = words(name).pop().unwrap_or_default();
    COLLECTIONS.iter().any(|collection| map == *collection)
        && !ABOUT.contains(&last.as_str())
        && !["user", "username", "email", "database", "existing"].contains(&last.as_str())
        && !is_switch(value)
        && value.parse::<f64>().is_err()
        && !value.is_empty()
}

/// The reason, if the name says that the value is a secret.
pub(super) fn why(name: &str, value: &str) -> Option<&'static str> {
    if name.is_empty() || is_switch(value) || is_path(value) {
        None
    } else {
        of_words(name, &words(name), value)
    }
}

fn of_words(name: &str, words: &[String], value: &str) -> Option<&'static str> {
    let has = |word: &str| words.iter().any(|other| other == word);
    // `PGPASSWORD` and `APIKEY` are written without a gap.
    let ends = |end: &str| words.iter().any(|word| word.ends_with(end));
    let pair = |first: &str, second: &str| {
        words.windows(2).any(|two| two.iter().map(String::as_str).eq([first, second]))
    };
    let last = words.last().map_or("", String::as_str);
    // `ACCESS_KEY_ID` names one half of a credential, and the platform's own examples keep it secret.
    if pair("access", "key") {
        return Some("name contains \"access key\"");
    }
    if has("dsn") || pair("connection", "string") || pair("conn", "str") || has("connstr") {
        return Some("name contains \"connection string\"");
    }
    let names_a_secret = has("existing")
        || (has("extra") && last == "secret")
        || ["pull", "from"].iter().any(|word| pair(word, "secret") || pair(word, "secrets"));
    // By themselves they are the key of a selector, and a list of names.
    let says_nothing = words.len() == 1
        && ["key", "keys", "secrets"].contains(&last)
        && name.contains(char::is_lowercase);
    if ABOUT.contains(&last) || names_a_secret || says_nothing || pair("public", "key") {
        return None;
    }
    let before_last = words.len().checked_sub(2).and_then(|at| words.get(at));
    let is_other =
        |others: &[&str]| before_last.is_some_and(|word| others.contains(&word.as_str()));
    if matches!(last, "key" | "keys") && is_other(OTHER_KEYS) {
        return None;
    }
    let is_password = ["password", "passwd", "passphrase"].into_iter().any(ends)
        || ["passcode", "pass", "htpasswd"].into_iter().any(has)
        // By itself it is the working directory.
        || (has("pwd") && words.len() > 1);
    if is_password {
        return Some("name contains \"password\"");
    }
    if ends("secret") || has("secrets") {
        return Some("name contains \"secret\"");
    }
    if ["credential", "credentials", "creds"].into_iter().any(has) || pair("basic", "auth") {
        return Some("name contains \"credentials\"");
    }
    if last == "authorization"
        || has("bearer")
        || (words.len() == 1 && last == "auth" && is_base64(value))
    {
        return Some("name contains \"authorization\"");
    }
    // `MAX_TOKENS: 512` limits a model.
    let is_number = !value.is_empty() && value.parse::<f64>().is_ok();
    if ends("token") || has("jwt") || (has("tokens") && !is_number) {
        return (!is_number && !is_other(OTHER_TOKENS)).then_some("name contains \"token\"");
    }
    let is_key =
        last == "key" || last == "keys" || last.ends_with("apikey") || has("pem") || has("salt");
    is_key.then_some("name contains \"key\"")
}

/// As Docker's configuration writes `user:password`. A word such as `basic` is not such a text.
fn is_base64(value: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    value.len() >= 8
        && value.len().is_multiple_of(4)
        && value.chars().all(is_digit)
        && value.chars().any(|c| !c.is_ascii_lowercase())
}

/// `dbPassword`, `DB_PASSWORD` and `db-password` are the words `db` and `password`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let begins = character.is_uppercase() && before.is_lowercase();
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}
