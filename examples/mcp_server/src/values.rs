//! Values, which come from this process's environment and from nowhere else.

use std::error::Error;

use glob::{MatchOptions, Pattern};
use truefoundry_secrets::SecretValue;

use crate::failure::Failure;
use crate::reserved::reserved;

/// Case counts, and `*` matches anything.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

/// Which environment variables the tools may write into a secret group.
#[derive(Default)]
pub(crate) struct AllowedEnv(Vec<Pattern>);

impl AllowedEnv {
    pub(crate) fn allow(&mut self, pattern: &str) -> Result<(), Box<dyn Error>> {
        let pattern = Pattern::new(pattern).map_err(|error| format!("--allow-env: {error}"))?;
        self.0.push(pattern);
        Ok(())
    }

    /// The patterns, for errors.
    pub(crate) fn shown(&self) -> String {
        let patterns: Vec<_> = self.0.iter().map(Pattern::as_str).collect();
        if patterns.is_empty() { "none".to_owned() } else { patterns.join(", ") }
    }

    /// The value for `key`, read from `variable`.
    ///
    /// A name that is not allowed is not repeated in the error: it may be the value itself, written in the
    /// wrong place.
    pub(crate) fn read(&self, key: &str, variable: &str) -> Result<SecretValue, Failure> {
        if is_setting(variable) {
            return Err(Failure::variable_reserved(key));
        }
        if !self.0.iter().any(|pattern| pattern.matches_with(variable, MATCHING)) {
            return Err(Failure::variable_not_allowed(key, &self.shown()));
        }
        SecretValue::from_env(variable).map_err(|error| Failure::variable_unusable(key, &error))
    }
}

/// Whether the variable is a setting of the client or of the system, which no pattern allows.
fn is_setting(variable: &str) -> bool {
    variable.to_ascii_uppercase().starts_with("TFY_") || reserved(variable).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(patterns: &[&str]) -> AllowedEnv {
        let mut allowed = AllowedEnv::default();
        for pattern in patterns {
            allowed.allow(pattern).unwrap();
        }
        allowed
    }

    fn kind(allowed: &AllowedEnv, variable: &str) -> &'static str {
        allowed.read("KEY", variable).map_or_else(|failure| failure.kind(), |_| "read")
    }

    #[test]
    fn only_what_a_pattern_names_is_read() {
        let db = allowed(&["DB_*", "SMTP_PASSWORD"]);
        // Allowed, though not set here.
        assert_eq!(kind(&db, "DB_MCP_TEST"), "VariableUnusable");
        assert_eq!(kind(&db, "SMTP_PASSWORD"), "VariableUnusable");
        for other in ["db_mcp_test", "MY_DB_X", "SMTP_PASSWORD_2", "", "*", "DB"] {
            assert_eq!(kind(&db, other), "VariableNotAllowed", "{other}");
        }
        assert_eq!(kind(&AllowedEnv::default(), "DB_X"), "VariableNotAllowed");
    }

    #[test]
    fn no_pattern_allows_the_clients_own_settings() {
        let all = allowed(&["*"]);
        let settings = [
            "TFY_API_KEY",
            "tfy_api_key",
            "TFY_BASE_URL",
            "TFY_HOST",
            "TFY_API_HOST",
            "TFY_ANYTHING",
            "HTTPS_PROXY",
            "https_proxy",
            "PATH",
            "SSH_AUTH_SOCK",
        ];
        for setting in settings {
            assert_eq!(kind(&all, setting), "VariableReserved", "{setting}");
        }
    }

    #[test]
    fn a_name_that_is_refused_is_not_repeated() {
        let failure = allowed(&["DB_*"]).read("DB_PASSWORD", "hunter2hunter2").err().unwrap();
        assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        assert!(format!("{failure:?}").contains("DB_*"), "{failure:?}");
    }
}
