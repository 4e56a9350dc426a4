//! Keys whose values come from environment variables.

use std::collections::HashSet;

use truefoundry_secrets::{SecretStoreKind, SecretValue};

use super::reserved::reserved;
use super::{Failure, shown, table};

/// A key, where its value comes from, and the value.
pub(crate) struct KeyFromEnv {
    pub(crate) key: String,
    pub(crate) variable: String,
    /// The key as it was asked for, if the store does not accept that.
    pub(crate) instead_of: Option<String>,
    pub(crate) value: SecretValue,
}

impl KeyFromEnv {
    /// The key as it was asked for.
    pub(crate) fn asked(&self) -> &str {
        self.instead_of.as_deref().unwrap_or(&self.key)
    }
}

/// A key that was asked for.
pub(crate) struct Asked<'a> {
    pub(crate) key: &'a str,
    /// The variable that was named for it, else the one with the key's own name.
    pub(crate) variable: Option<&'a str>,
    /// Whether the key may get another name if the store does not accept it.
    pub(crate) flexible: bool,
}

/// Parses `KEY` and `KEY:VARIABLE`. A key that is given with its variable is used literally.
pub(crate) fn keys_from_arguments(
    arguments: &[(usize, String)],
    store: Option<&SecretStoreKind>,
) -> Result<Vec<KeyFromEnv>, Failure> {
    let mut asked = Vec::new();
    for (position, argument) in arguments {
        let (key, variable) = match argument.split_once(':') {
            Some((key, variable)) => (key, Some(variable)),
            None => (argument.as_str(), None),
        };
        let read = variable.map_or_else(|| variable_for(key), str::to_owned);
        if key.is_empty() || !is_variable_name(&read) {
            let message = format!("argument #{position} is neither KEY nor KEY:VARIABLE");
            return Err(Failure::Usage(message));
        }
        if may_be_a_value(&read, argument) {
            return Err(Failure::Usage(format!(
                "argument #{position} names an environment variable that is not set (the argument is \
                 not shown here, in case it is a value)"
            )));
        }
        asked.push(Asked { key, variable, flexible: variable.is_none() });
    }
    read_keys(&asked, store, "Name the variable that holds the secret, as KEY:VARIABLE.")
}

/// Reads the values and checks keys and values against the store's rules, before the user is asked
/// to confirm a change that would fail.
///
/// `way_out` is the hint for a variable that means something else.
pub(crate) fn read_keys(
    asked: &[Asked<'_>],
    store: Option<&SecretStoreKind>,
    way_out: &str,
) -> Result<Vec<KeyFromEnv>, Failure> {
    let taken: Vec<_> = asked
        .iter()
        .filter(|asked| asked.variable.is_none())
        .filter_map(|asked| {
            let variable = variable_for(asked.key);
            Some([variable.clone(), reserved(&variable)?.to_owned()])
        })
        .collect();
    if !taken.is_empty() {
        return Err(Failure::Usage(format!(
            "variables that mean something else here are not read as secrets:\n\n{}\n\n{way_out}",
            table(&["Variable", "Is"], taken)
        )));
    }
    let asked: Vec<_> = asked
        .iter()
        .map(|asked| (asked, asked.variable.map_or_else(|| variable_for(asked.key), str::to_owned)))
        .collect();
    let is_missing = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
    let missing: Vec<_> = asked
        .iter()
        .map(|(_, variable)| variable.as_str())
        .filter(|variable| is_missing(variable))
        .collect();
    if !missing.is_empty() {
        return Err(Failure::other(
            format!("not set, or empty: {}", shown(&missing.join(", "))),
            "Put each value into the environment variable of that name and export it.",
        ));
    }
    let mut keys = Vec::new();
    let mut seen = HashSet::new();
    for (Asked { key: asked, flexible, .. }, variable) in asked {
        let suggestion = store.filter(|_| *flexible).and_then(|store| store.suggest_key(asked));
        let instead_of = suggestion.is_some().then(|| (*asked).to_owned());
        let key = suggestion.unwrap_or_else(|| (*asked).to_owned());
        let value = SecretValue::from_env(&variable)?;
        if let Some(store) = store {
            store.check_key(&key).map_err(|problem| {
                let hint = match problem.suggestion() {
                    Some(other) => format!("Use the name {}.", shown(other)),
                    None => "Use another name, or another store.".to_owned(),
                };
                Failure::other(format!("key {}: {problem}", shown(&key)), hint)
            })?;
            store.check_value(&value).map_err(|problem| {
                let message = format!("value of {}: {problem}", shown(&key));
                Failure::other(message, "Use a shorter value, or another store.")
            })?;
        }
        if !seen.insert(key.clone()) {
            return Err(Failure::Usage(format!("the key {} would be set twice", shown(&key))));
        }
        keys.push(KeyFromEnv { key, variable, instead_of, value });
    }
    Ok(keys)
}

/// The variable that a key's value is read from: no shell can set one with a hyphen, and Azure's keys can
/// have nothing else.
fn variable_for(key: &str) -> String {
    key.replace(['-', '.'], "_")
}

/// Whether the text may be a value that was typed in place of a key or a variable, because the
/// variable that it names is not set.
pub(crate) fn may_be_a_value(variable: &str, text: &str) -> bool {
    std::env::var_os(variable).is_none() && !is_constant_case(text)
}

pub(crate) fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether the text is written as variables are and hardly any secret is: in capitals, and in words or
/// short. Secrets in Base32 are in capitals, too.
fn is_constant_case(text: &str) -> bool {
    let names: Vec<&str> = text.split(':').collect();
    names.iter().all(|name| {
        let is_short = name.len() <= 12 && !name.contains(|c: char| c.is_ascii_digit());
        name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_-".contains(c))
            && (is_short || name.contains(['_', '-']))
    })
}

/// Which key gets its value from which variable, and what is unusual about it.
pub(crate) fn mapping_lines(keys: &[KeyFromEnv], store: Option<&SecretStoreKind>) -> Vec<String> {
    let rows =
        keys.iter().map(|key| [&key.key, &key.variable, &key.value.to_string()].map(Clone::clone));
    let rows = table(&["Key", "From variable", "Value"], rows);
    let renamed = keys.iter().filter_map(|key| {
        let (asked, store) = (key.instead_of.as_ref()?, store?);
        Some(format!("{store} does not accept {}: {} is used", shown(asked), shown(&key.key)))
    });
    let line_breaks = keys
        .iter()
        .filter(|key| ends_in_line_break(&key.value))
        .map(|key| format!("note: the value of {} ends in a line break", shown(&key.variable)));
    rows.lines().map(str::to_owned).chain(renamed).chain(line_breaks).collect()
}

/// Of one line: the line break at the end of a PEM file belongs to it.
fn ends_in_line_break(value: &SecretValue) -> bool {
    let text = value.expose_secret();
    text.lines().count() == 1 && text.ends_with(['\n', '\r'])
}
