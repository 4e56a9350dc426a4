//! The one type that holds a secret's value.

use std::any::type_name;
use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::wipe::Wipe as _;
use crate::{Error, Result};

const SET: &str = "(set)";
const EMPTY: &str = "(empty)";
const TAIL: &str = "***";
const NOT_TEXT: &str = "a secret's value must be text";
/// In a shorter value, four characters would be a large part.
const PREVIEW_FROM: usize = 16;
const PREVIEW_SHOWS: usize = 4;

/// A secret's value: it prints masked, is wiped when dropped, and is read through
/// [`expose_secret`](Self::expose_secret), or by a `Command` through [`EnvValue`](crate::EnvValue).
///
/// `Debug` and `Display` print `(set)`, or `(empty)`.
///
/// ```
/// use truefoundry_secrets::SecretValue;
///
/// let value = SecretValue::from("correct horse battery".to_owned());
/// assert_eq!(format!("{value} {value:?}"), "(set) (set)");
/// assert_eq!(value.preview(), "corr***");
/// assert_eq!(value.expose_secret(), "correct horse battery");
/// ```
///
/// Code that would leak the value does not compile. It cannot be serialized:
/// ```compile_fail,E0277
/// let value = truefoundry_secrets::SecretValue::from("secret");
/// serde_json::to_string(&value);
/// ```
/// It does not convert to text implicitly:
/// ```compile_fail,E0308
/// let value = truefoundry_secrets::SecretValue::from("secret");
/// let text: &str = &value;
/// ```
/// ```compile_fail,E0277
/// let value = truefoundry_secrets::SecretValue::from("secret");
/// std::fs::write("out", value);
/// ```
/// It cannot be compared with `==`, whose timing would tell how much of a guess is right (use
/// [`ct_eq`](Self::ct_eq)):
/// ```compile_fail,E0369
/// let value = truefoundry_secrets::SecretValue::from("secret");
/// assert!(value == truefoundry_secrets::SecretValue::from("guess"));
/// ```
///
/// It can be deserialized from text only, and only in self-describing formats (JSON is one, bincode
/// is not).
///
/// `Clone` makes a second copy in memory, itself wiped when dropped; clone as few as you need.
#[derive(Clone)]
pub struct SecretValue(SecretString);

impl SecretValue {
    /// Takes a text that has no spare capacity, so that nothing is copied.
    pub(crate) fn from_exact(text: Box<str>) -> Self {
        Self(SecretString::new(text))
    }

    /// Reads the value from the environment variable `name`.
    ///
    /// The process environment keeps its own copy of the value until the process ends, and child
    /// processes inherit it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], naming the variable and never its value, if the variable is not
    /// set, is empty (an empty password is nearly always a mistake in the caller's setup), or is
    /// not UTF-8.
    pub fn from_env(name: &str) -> Result<Self> {
        let refuse = |reason: &str| {
            Err(Error::invalid_input(
                "environment variable",
                format!("{} {reason}", name.escape_debug()),
            ))
        };
        // The standard library panics, or returns nonsense, for names that no variable can have.
        if name.is_empty() || name.contains(['=', '\0']) {
            return refuse("is not a name that a variable can have");
        }
        match std::env::var_os(name).map(std::ffi::OsString::into_string) {
            None => refuse("is not set"),
            Some(Ok(value)) if value.is_empty() => refuse("is empty"),
            Some(Ok(value)) => Ok(value.into()),
            Some(Err(bytes)) => {
                bytes.into_encoded_bytes().wipe();
                refuse("is not UTF-8")
            }
        }
    }

    /// The value itself.
    ///
    /// # Security
    /// The returned text is no longer protected: do not log it, format it into an error, or keep a
    /// copy longer than needed.
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// The first four characters and `***` if the value has at least 16 characters, else `(set)` or
    /// `(empty)`. Four characters of a shorter value would be a large part of it.
    pub fn preview(&self) -> String {
        let text = self.expose_secret();
        if text.chars().nth(PREVIEW_FROM - 1).is_none() {
            return self.to_string();
        }
        let shown: String = text.chars().take(PREVIEW_SHOWS).collect();
        format!("{}{TAIL}", shown.escape_debug())
    }

    /// Whether two values are equal, compared in a time that depends on their lengths only.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.expose_secret().as_bytes().ct_eq(other.expose_secret().as_bytes()).into()
    }

    /// Parses the trimmed text as another type, such as a number.
    ///
    /// ```
    /// use truefoundry_secrets::SecretValue;
    ///
    /// assert_eq!(SecretValue::from("5432\n").parse::<u16>()?, 5432);
    /// # Ok::<_, truefoundry_secrets::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`], which names the type and never quotes the value.
    pub fn parse<T: FromStr>(&self) -> Result<T> {
        self.expose_secret().trim().parse().map_err(|_| {
            Error::invalid_input("value", format!("it does not parse as {}", type_name::<T>()))
        })
    }

    /// The value's length in bytes.
    pub fn len(&self) -> usize {
        self.expose_secret().len()
    }

    /// Whether the value is the empty string.
    pub fn is_empty(&self) -> bool {
        self.expose_secret().is_empty()
    }

    /// Whether the text is one of this crate's masks: a printed value was written back.
    pub(crate) fn is_masked_text(&self) -> bool {
        let text = self.expose_secret();
        text == SET
            || text == EMPTY
            || text.strip_suffix(TAIL).is_some_and(|shown| shown.chars().count() == PREVIEW_SHOWS)
    }
}

/// Copies into an allocation of exactly the right size and wipes the source, spare capacity included.
impl From<String> for SecretValue {
    fn from(mut text: String) -> Self {
        let value = Self::from_exact(text.as_str().into());
        text.wipe();
        value
    }
}

/// Copies the text; the caller's own copy is not wiped.
impl From<&str> for SecretValue {
    fn from(text: &str) -> Self {
        Self::from_exact(text.into())
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_empty() { EMPTY } else { SET })
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Accepts text only. Its errors never quote what was found instead.
///
/// A format's own error can still show the source: `toml`, for example, prints the line in
/// question. [`SecretMap::deserialize`](crate::SecretMap::deserialize) prints none.
impl<'de> serde::Deserialize<'de> for SecretValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // If asked for text, a format quotes what it found instead in an error of its own. If asked
        // for anything, it passes that to this visitor, which refuses it with a fixed sentence.
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

macro_rules! refuse {
    ($($visit:ident: $type:ty),* $(,)?) => {
        $(fn $visit<E: serde::de::Error>(self, _: $type) -> Result<Self::Value, E> {
            Err(E::custom(NOT_TEXT))
        })*
    };
}

impl<'de> serde::de::Visitor<'de> for TextVisitor {
    type Value = SecretValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<SecretValue, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<SecretValue, E> {
        Ok(text.into())
    }

    refuse! {
        visit_bool: bool,
        visit_i64: i64,
        visit_i128: i128,
        visit_u64: u64,
        visit_u128: u128,
        visit_f64: f64,
        visit_char: char,
        visit_bytes: &[u8],
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<SecretValue, E> {
        Err(E::custom(NOT_TEXT))
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, _: D) -> Result<SecretValue, D::Error> {
        Err(serde::de::Error::custom(NOT_TEXT))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<SecretValue, E> {
        Err(E::custom(NOT_TEXT))
    }

    fn visit_newtype_struct<D: serde::Deserializer<'de>>(
        self,
        _: D,
    ) -> Result<SecretValue, D::Error> {
        Err(serde::de::Error::custom(NOT_TEXT))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<SecretValue, A::Error> {
        Err(serde::de::Error::custom(NOT_TEXT))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<SecretValue, A::Error> {
        Err(serde::de::Error::custom(NOT_TEXT))
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<SecretValue, A::Error> {
        Err(serde::de::Error::custom(NOT_TEXT))
    }
}

/// A value on its way into a request body: the only place where one is serialized.
pub(crate) struct Exposed<'a>(pub(crate) &'a SecretValue);

impl serde::Serialize for Exposed<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_show_four_of_sixteen_and_nothing_of_fifteen() {
        for (text, shown) in [
            ("", "(empty)"),
            ("x", "(set)"),
            ("123456789012345", "(set)"),
            ("1234567890123456", "1234***"),
            ("ééééééééé", "(set)"),
            ("\u{1b}[2Jxxxxxxxxxxxxxxx", "\\u{1b}[2J***"),
        ] {
            assert_eq!(SecretValue::from(text).preview(), shown);
        }
    }

    #[test]
    fn our_own_masks_are_recognised_and_values_near_them_are_not() {
        for text in ["(set)", "(empty)", "corr***", "éééé***"] {
            assert!(SecretValue::from(text).is_masked_text(), "{text}");
        }
        for text in ["", "(SET)", "abc***", "abcde***", "***", "corr****x", "(set) "] {
            assert!(!SecretValue::from(text).is_masked_text(), "{text}");
        }
    }

    #[test]
    fn equality_is_of_the_whole_value() {
        let value = SecretValue::from("same");
        assert!(value.ct_eq(&SecretValue::from("same")));
        for other in ["", "sam", "samE", "same!"] {
            assert!(!value.ct_eq(&SecretValue::from(other)));
        }
    }

    #[test]
    fn display_keeps_the_width_of_a_table() {
        assert_eq!(format!("{:>8}|", SecretValue::from("x")), "   (set)|");
    }
}
