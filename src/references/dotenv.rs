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
    /// Wiping the text itself is up to the caller: keep it in a `SecretValue`, and pass its
    /// `expose_secret()`.
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
    /// [`Error::InvalidInput`] with line, name and reason, and never a value. A line that is not of
    /// the form `NAME=value` is not quoted at all: it may be part of a value.
    pub fn from_dotenv(text: &str) -> Result<Self> {
        // Both readers do this first, even inside quotes.
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
            let content = line.trim_start_matches(is_blank);
            if content.is_empty() || content.starts_with('#') {
                self.check_separators(content, "")?;
                self.rest = after;
                self.line += 1;
                continue;
            }
            let (name, value) = self.name(content)?;
            let start = value.trim_start_matches(is_blank);
            if let Some(quote) = start.chars().next().filter(|first| matches!(first, '"' | '\'')) {
                let opening = line.len() - start.len();
                let inner = self.rest.get(opening + 1..).unwrap_or_default();
                return self.quoted(name, quote, inner).map(Some);
            }
            let value = self.unquoted(name, value)?;
            self.rest = after;
            self.line += 1;
            return Ok(Some((name, value.into())));
        }
    }

    /// The name, and the text after the equals sign.
    fn name(&self, content: &'a str) -> Result<(&'a str, &'a str)> {
        let exported = content.strip_prefix("export").filter(|rest| rest.starts_with(is_blank));
        let content = exported.map_or(content, |rest| rest.trim_start_matches(is_blank));
        let end = content.find(|it: char| !is_name(it)).unwrap_or(content.len());
        let (name, rest) = content.split_at(end);
        match rest.trim_start_matches(is_blank).strip_prefix('=') {
            Some(value) if !name.is_empty() => Ok((name, value)),
            // This may be part of a value rather than a name, so it is not printed.
            _ => Err(self.refuse("", "is not of the form NAME=value")),
        }
    }

    fn unquoted(&self, name: &str, after_sign: &'a str) -> Result<&'a str> {
        self.check_separators(after_sign, name)?;
        let value = match after_sign.find('#') {
            None => after_sign.trim_start_matches(is_blank),
            Some(at) => {
                let (before, _) = after_sign.split_at(at);
                if !before.ends_with(is_blank) {
                    let reason = "has a # that some readers take for a comment; quote the value";
                    return Err(self.refuse(name, reason));
                }
                before.trim_start_matches(is_blank)
            }
        };
        let value = value.trim_end_matches(is_blank);
        if value != value.trim() {
            let reason = "begins or ends with white space other than spaces and tabs";
            return Err(self.refuse(name, reason));
        }
        if value.starts_with('`') {
            let reason = "begins with a backtick, which some readers take for a quote";
            return Err(self.refuse(name, reason));
        }
        self.check_expansion(name, value)?;
        Ok(value)
    }

    /// A value in quotes, which can span several lines. `inner` is everything after the opening
    /// quote.
    fn quoted(
        &mut self,
        name: &'a str,
        quote: char,
        inner: &'a str,
    ) -> Result<(&'a str, SecretValue)> {
        let Some(end) = inner.find(quote) else {
            return Err(self.refuse(name, "has an unclosed quote"));
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
        // An empty piece is between two backslashes, or between one and the closing quote.
        if text.split('\\').skip(1).any(|piece| piece.is_empty() || piece.starts_with(escapes)) {
            return Err(self.refuse(name, "has a backslash that readers interpret differently"));
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
        Ok((name, value))
    }

    /// python-dotenv replaces this with the value of another variable, and node's dotenv does not.
    fn check_expansion(&self, name: &str, value: &str) -> Result<()> {
        let mut openings = value.split("${").skip(1);
        if openings.any(|after| after.contains('}')) {
            return Err(self.refuse(name, "has a ${..}, which some readers expand"));
        }
        Ok(())
    }

    /// JavaScript treats them as line ends.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let map = SecretMap::from_dotenv(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        map.into_iter().map(|(name, value)| (name, value.expose_secret().to_owned())).collect()
    }

    #[test]
    fn lines_that_readers_agree_on_are_read_as_written() {
        for (line, name, value) in [
            (r#"CFG={"provider":"made-up","n":1}"#, "CFG", r#"{"provider":"made-up","n":1}"#),
            (r#"PASS=ab"cd"ef"#, "PASS", r#"ab"cd"ef"#),
            ("NAME=My App", "NAME", "My App"),
            ("NOTE=it's made up", "NOTE", "it's made up"),
            (r"DIR=C:\made\up", "DIR", r"C:\made\up"),
            ("A=", "A", ""),
            ("A=''", "A", ""),
            (" export\tA = b # c", "A", "b"),
            ("d.e-f=1", "d.e-f", "1"),
            ("A='a#b' # c", "A", "a#b"),
            ("A=\"it's\"", "A", "it's"),
            (r#"A="a\nb\rc""#, "A", "a\nb\rc"),
            (r"A='a\nb'", "A", r"a\nb"),
            ("A=\"a\n\nb\"", "A", "a\n\nb"),
            ("A=$B ${C", "A", "$B ${C"),
            ("A=QUJD=", "A", "QUJD="),
        ] {
            let wanted = [(name.to_owned(), value.to_owned())];
            assert_eq!(pairs(line), wanted);
            assert_eq!(pairs(&format!("\u{feff}\n# x\n{line}\n  \n")), wanted);
            assert_eq!(pairs(&format!("\r\n{line}\r\n")), wanted);
        }
        assert_eq!(pairs("A=1\nB=2\nA=3\n").len(), 2);
    }

    #[test]
    fn lines_that_readers_take_differently_are_refused_with_line_and_name() {
        for (line, name) in [
            ("NAME=made#up", ", NAME"),
            ("NAME=\"made up", ", NAME"),
            ("NAME='made' up", ", NAME"),
            ("NAME=`made up`", ", NAME"),
            ("NAME=made${UP}", ", NAME"),
            ("NAME=\"made${UP}\"", ", NAME"),
            (r#"NAME="made\tup""#, ", NAME"),
            (r#"NAME="made\\up""#, ", NAME"),
            (r"NAME='made\'", ", NAME"),
            ("NAME=made\u{2028}up", ", NAME"),
            ("NAME=made up\u{a0}", ", NAME"),
            ("made", ""),
            ("made up", ""),
            ("made+up=", ""),
            ("made: up", ""),
            ("=made", ""),
        ] {
            let error = SecretMap::from_dotenv(&format!("A=\"1\n\"\n{line}\nB=2\n")).unwrap_err();
            let text = format!("{error:?} {error:#?}");
            assert!(text.contains(&format!("line 3{name}: it ")), "{line:?}: {text}");
            assert!(!text.contains("made") && !text.contains("up"), "{line:?}: {text}");
        }
    }
}
