//! The context of a reference: its line and column, and which format's rules say where its value
//! ends. The text is read forward, each character once.

use super::steps;

/// Whose rules end a reference without quotes of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A whole value in block YAML, whose continuation lines are deeper than `indent`.
    Block { indent: usize },
    /// A whole value within the brackets of YAML's flow style.
    Flow,
    /// A whole value after `NAME=` at the start of a line: dotenv.
    Assigned,
    /// Within a longer text: prose, a comment, a command line, markup.
    Mention,
}

/// The position of the next character within its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// After nothing but blanks. A value, if the line before ended with `:` or `-`.
    LineStart {
        is_value: bool,
    },
    /// In the first word of the line, which began here.
    Word(usize),
    /// After the first word of the line and a blank.
    AfterWord,
    /// After `NAME=`.
    Assigned,
    /// Right after a `-` or `?` that begins a line, or the rest of it.
    Marker,
    /// Right after a `:`.
    Colon,
    /// Where YAML lets a value begin.
    Value,
    /// Anywhere else in a line.
    Text,
    /// Anywhere else, after a blank: `#` begins a comment.
    Blank,
    Quoted(char),
    /// After a backslash in double quotes.
    Escaped,
    Comment,
}

#[derive(Clone)]
pub(super) struct Context<'a> {
    text: &'a str,
    /// How far the text has been read.
    at: usize,
    line: usize,
    column: usize,
    state: State,
    previous: char,
    /// How many brackets of YAML's flow style (or JSON's) are open.
    flow: usize,
    /// The column of the last YAML key or list item, from 0.
    indent: usize,
}

impl<'a> Context<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let state = State::LineStart { is_value: false };
        Self { text, at: 0, line: 1, column: 1, state, previous: '\n', flow: 0, indent: 0 }
    }

    /// The line and the column at which the text has been read so far, from 1.
    pub(super) fn line_and_column(&self) -> (usize, usize) {
        (self.line, self.column)
    }

    /// The quote that is open.
    pub(super) fn quote(&self) -> Option<char> {
        if let State::Quoted(quote) = self.state { Some(quote) } else { None }
    }

    pub(super) fn style(&self) -> Style {
        match self.state {
            State::Value | State::LineStart { is_value: true } if self.flow > 0 => Style::Flow,
            State::Value | State::LineStart { is_value: true } => {
                Style::Block { indent: self.indent }
            }
            State::Assigned => Style::Assigned,
            _ => Style::Mention,
        }
    }

    /// Reads on up to `end`.
    pub(super) fn advance(&mut self, end: usize) {
        let unread = self.text.get(self.at..end).unwrap_or_default();
        for (offset, character) in unread.char_indices() {
            steps::count(1);
            self.state = self.after(character, self.at + offset);
            self.previous = character;
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at = self.at.max(end);
    }

    /// The state after this character.
    #[expect(clippy::match_same_arms, reason = "the arms are in order of precedence")]
    fn after(&mut self, character: char, at: usize) -> State {
        use State::{
            AfterWord, Assigned, Blank, Colon, Comment, Escaped, LineStart, Marker, Quoted, Text,
            Value, Word,
        };

        let state = self.state;
        if matches!(state, LineStart { .. }) && !" \t\r\n#".contains(character) {
            self.indent = self.column - 1;
        }
        match (state, character) {
            (LineStart { is_value: true } | Marker | Colon | Value, '\n') => {
                LineStart { is_value: true }
            }
            (_, '\n') => LineStart { is_value: false },
            (_, '\r') | (Comment, _) => state,
            (Escaped, _) => Quoted('"'),
            (Quoted('"'), '\\') => Escaped,
            (Quoted(quote), _) if quote == character => Text,
            (Quoted(_), _) => state,

            (Marker, ' ' | '\t') => LineStart { is_value: true },
            (Colon, ' ' | '\t') => Value,
            (Word(start), ' ' | '\t') if self.text.get(start..at) == Some("export") => {
                LineStart { is_value: false }
            }
            (Word(_), ' ' | '\t') => AfterWord,
            (Text, ' ' | '\t') => Blank,
            (_, ' ' | '\t') => state,

            (LineStart { .. } | AfterWord | Assigned | Value | Blank, '#') => Comment,
            // An apostrophe, which is within or after a word.
            (_, '"' | '\'' | '`') if self.previous.is_alphanumeric() => Text,
            (_, '"' | '\'' | '`') => Quoted(character),

            (LineStart { .. } | Value, '[' | '{') => self.open_flow(),
            (_, '[' | '{') if self.flow > 0 => self.open_flow(),
            (_, ']' | '}') if self.flow > 0 => {
                self.flow -= 1;
                Text
            }
            (_, ',') if self.flow > 0 => Value,

            (_, ':') => Colon,
            (LineStart { .. }, '-' | '?') => Marker,
            (Word(_) | AfterWord, '=') => Assigned,
            (LineStart { .. }, 'A'..='Z' | 'a'..='z' | '_') => Word(at),
            (Word(_), 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '.' | '-') => state,
            _ => Text,
        }
    }

    fn open_flow(&mut self) -> State {
        self.flow += 1;
        State::Value
    }
}
