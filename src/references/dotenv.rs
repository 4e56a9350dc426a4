//! Dotenv files.
//!
//! There is no standard. What python-dotenv and node's dotenv read alike is read as they do; what they read
//! differently, or drop, is refused: a secret that arrives changed is worse than one that does not arrive.

use super::secret_map::SecretMap;
use crate::secret_value::SecretValue;
use crate::wipe::Zeroizing;
use crate::{Error, Result};

impl SecretMap {
    /// The variables of a dotenv file: `NAME=value` lines, with an optional `export`, quotes and comments.
    ///
    /// A value is exactly what python-dotenv and node's dotenv read, on all lines that the two read alike.
    /// A line that they read differently, or that either of them drops, is refused.
    ///
    /// ```
    /// use truefoundry_secrets::SecretMap;
    ///
    /// let text = "# comment\nDB_URL=postgres://db/app\nexport TOKEN='a#b' # comment\n";
    /// let values = SecretMap::from_dotenv(text)?;
    /// assert_eq!(values.keys().collect::<Vec<_>>(), ["DB_URL", "TOKEN"]);
    ///
    /// let refused = SecretMap::from_dotenv("A=1\nB=half#comment\n").unwrap_err();
    /// assert!(refused.to_string().contains("line 2, B"));
    /// # Ok::<_, truefoundry_secrets::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] with line, name and reason, and never a value.
    pub fn from_dotenv(text: &str) -> Result<Self> {
        // Both readers do this first, inside of quotes too.
        if text.contains('\r') {
            let text = Zeroizing::new(text.replace("\r\n", "\n"));
            return read(&Zeroizing::new(text.replace('\r', "\n")));
        }
        read(text)
    }
}

fn read(text: &str) -> Result<SecretMap> {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest, line: 1 };
    let mut map = SecretMap::new();
    while let Some((name, value)) = reader.next_variable()? {
        map.insert(name, value);
    }
    Ok(map)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn next_variable(&mut self) -> Result<Option<(&'a str, SecretValue)>> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let (line, after) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            let content = line.trim_matches(is_blank);
            if content.is_empty() || content.starts_with('#') {
                self.check_separators(content, "")?;
                self.rest = after;
                self.line += 1;
                continue;
            }
            let (name, value) = self.name(content)?;
            let start = value.trim_start_matches(is_blank);
            return match start.chars().next().filter(|first| matches!(first, '"' | '\'')) {
                Some(quote) => self.quoted(name, quote, start),
                None => {
                    let value = self.unquoted(name, value)?;
                    self.rest = after;
                    self.line += 1;
                    Ok(Some((name, value.into())))
                }
            };
        }
    }

    /// The name, and what follows the equals sign.
    fn name(&self, content: &'a str) -> Result<(&'a str, &'a str)> {
        let exported = content.strip_prefix("export").filter(|rest| rest.starts_with(is_blank));
        let content = exported.map_or(content, |rest| rest.trim_start_matches(is_blank));
        let end = content.find(|it: char| !is_name(it)).unwrap_or(content.len());
        let (name, rest) = content.split_at(end);
        match rest.trim_start_matches(is_blank).strip_prefix('=') {
            Some(value) if !name.is_empty() => Ok((name, value)),
            _ => Err(self.refuse(name, "is not of the form NAME=value")),
        }
    }

    fn unquoted(&self, name: &str, after_sign: &'a str) -> Result<&'a str> {
        self.check_separators(after_sign, name)?;
        let value = match after_sign.find('#') {
            None => after_sign.trim_start_matches(is_blank),
            Some(at) => {
                let (before, _) = after_sign.split_at(at);
                if !before.ends_with(is_blank) {
                    let reason =
                        "has a # that is a comment to some readers; put quotes around the value";
                    return Err(self.refuse(name, reason));
                }
                before.trim_start_matches(is_blank)
            }
        };
        let value = value.trim_end_matches(is_blank);
        if value != value.trim() {
            let reason = "begins or ends with white space other than blanks and tabs";
            return Err(self.refuse(name, reason));
        }
        if value.starts_with('`') {
            return Err(
                self.refuse(name, "begins with a backtick, which is a quote to some readers")
            );
        }
        self.check_expansion(name, value)?;
        Ok(value)
    }

    /// A value in quotes, which can go over several lines. `start` begins with the opening quote.
    fn quoted(
        &mut self,
        name: &'a str,
        quote: char,
        start: &'a str,
    ) -> Result<Option<(&'a str, SecretValue)>> {
        let offset = self.rest.len() - self.tail_of(start).len();
        let inner = self.rest.get(offset + 1..).unwrap_or_default();
        let Some(end) = inner.find(quote) else {
            return Err(self.refuse(name, "has a quote that does not end"));
        };
        let (text, after) = inner.split_at(end);
        let after = after.get(1..).unwrap_or_default();
        let (trailing, rest) = after.split_once('\n').unwrap_or((after, ""));
        let comment = trailing.trim_matches(is_blank);
        if !comment.is_empty() && !comment.starts_with('#') {
            return Err(self.refuse(name, "has text after the closing quote"));
        }
        self.check_separators(comment, name)?;
        let escapes: &[char] =
            if quote == '"' { &['\\', '\'', '"', 'a', 'b', 'f', 't', 'v'] } else { &['\\', '\''] };
        let mut pieces = text.split('\\').skip(1).peekable();
        while let Some(piece) = pieces.next() {
            // Nothing between two backslashes, or between the last one and the closing quote.
            let next = piece.chars().next();
            if next.is_none_or(|next| escapes.contains(&next)) {
                let reason = "has a backslash that readers take differently";
                return Err(self.refuse(name, reason));
            }
        }
        self.check_expansion(name, text)?;
        let value = if quote == '"' && text.contains('\\') {
            let text = Zeroizing::new(text.replace("\\n", "\n"));
            SecretValue::from(text.replace("\\r", "\r"))
        } else {
            SecretValue::from(text)
        };
        self.line += text.matches('\n').count() + 1;
        self.rest = rest;
        Ok(Some((name, value)))
    }

    /// What of the whole rest begins where `part`, a part of its first line, begins.
    fn tail_of(&self, part: &str) -> &'a str {
        let line = self.rest.split('\n').next().unwrap_or_default();
        let behind = line.len() - line.trim_end_matches(is_blank).len();
        self.rest.get(line.len() - behind - part.len()..).unwrap_or_default()
    }

    /// python-dotenv puts the value of another variable in its place, node's dotenv does not.
    fn check_expansion(&self, name: &str, value: &str) -> Result<()> {
        let mut openings = value.split("${").skip(1);
        if openings.any(|after| after.contains('}')) {
            return Err(self.refuse(name, "has a ${..}, which some readers replace"));
        }
        Ok(())
    }

    /// They end a line to JavaScript.
    fn check_separators(&self, text: &str, name: &str) -> Result<()> {
        if text.contains(['\u{2028}', '\u{2029}']) {
            return Err(self.refuse(name, "has a line separator (U+2028 or U+2029)"));
        }
        Ok(())
    }

    fn refuse(&self, name: &str, reason: &str) -> Error {
        let name = if name.is_empty() { String::new() } else { format!(", {name}") };
        Error::invalid_input("dotenv file", format!("line {}{name}: it {reason}", self.line))
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
}
