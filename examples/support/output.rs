//! The only way to the screen. `println!` and `eprintln!` panic if the other end of a pipe is closed or the
//! disk is full, so the examples do not use them (clippy denies them), and a name from elsewhere could steer
//! the terminal.

use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};

use super::Failure;

/// A line on stdout.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    print_exactly(&format!("{}\n", visible(&text.to_string())))
}

/// On one line, for another program to read. All but ASCII is escaped, as JSON allows, so that a terminal shows
/// it safely.
pub(crate) fn print_json(json: &serde_json::Value) -> Result<(), Failure> {
    let mut line = String::new();
    for character in json.to_string().chars() {
        if character.is_ascii() && character != '\u{7f}' {
            line.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        }
    }
    print_exactly(&format!("{line}\n"))
}

/// As it is, for another program to read.
pub(crate) fn print_exactly(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::StdoutClosed),
        Err(error) => Err(Failure::other(
            format!("the output cannot be written: {error}"),
            "Check where stdout goes.",
        )),
    }
}

/// A line on stderr. If it cannot be written the work continues: it is not the output that was
/// asked for.
pub(crate) fn tell(text: impl Display) {
    let _ = ask(&format!("{text}\n"));
}

/// On stderr, without a line break.
pub(crate) fn ask(text: &str) -> io::Result<()> {
    let mut err = io::stderr().lock();
    err.write_all(visible(text).as_bytes())?;
    err.flush()
}

/// A name from elsewhere: what would move the cursor, reorder text or stay invisible is escaped.
pub(crate) fn shown(text: &str) -> String {
    let escaped = text.escape_debug().to_string();
    // These are visible as they are.
    escaped.replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\")
}

fn visible(lines: &str) -> String {
    lines.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}
