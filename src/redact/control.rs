use std::borrow::Cow;
use std::fmt::Write as _;

/// Escapes characters that would steer a terminal, forge a log line or reorder the text, as `\n` or
/// `\u{202e}`.
///
/// Backslashes stay as they are, so escaping twice changes nothing more.
pub(crate) fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.contains(is_steering) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            it if is_steering(it) => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(it));
            }
            it => shown.push(it),
        }
    }
    Cow::Owned(shown)
}

/// Whether this character would steer a terminal, forge a line or reorder the text.
pub(crate) fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' // soft hyphen
            | '\u{61c}' | '\u{200e}' | '\u{200f}' // direction marks
            | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' // no width
            | '\u{2028}' | '\u{2029}' // line and paragraph
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' // overrides and isolates
            | '\u{fff9}'..='\u{fffb}' // annotations
            | '\u{e0000}'..='\u{e007f}' // tags
        )
}
