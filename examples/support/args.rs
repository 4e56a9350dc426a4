//! The command line, read by `lexopt`. A secret given there would stay in the shell's history and in every
//! list of processes, so an argument that is not understood is named by its position and never quoted.

use std::collections::VecDeque;
use std::ffi::OsString;

use lexopt::{Arg, Parser};

use super::Failure;

/// An option of every example that connects.
const FAKE: &str = "fake";
const FAKE_USAGE: &str = "
  --fake  use a fake control plane within this program, with made-up data, whatever is configured
";

pub(crate) struct Args {
    usage: &'static str,
    /// Flags have an empty value.
    options: Vec<(&'static str, String)>,
    /// With their positions on the command line, from 1.
    positional: VecDeque<(usize, String)>,
}

impl Args {
    /// Reads positional arguments and these options: `yes` is a flag, `store=` has a value.
    pub(crate) fn from_env(usage: &'static str, known: &[&'static str]) -> Result<Self, Failure> {
        Self::with_fake(usage, known, Parser::from_env())
    }

    /// The same for a program that does not connect.
    pub(crate) fn from_env_offline(
        usage: &'static str,
        known: &[&'static str],
    ) -> Result<Self, Failure> {
        Self::parse(usage, known, Parser::from_env())
    }

    /// Arguments before `--` are this program's. Those after it are kept untouched for the program
    /// that it runs.
    pub(crate) fn from_env_with_command(
        usage: &'static str,
        known: &[&'static str],
    ) -> Result<(Self, Vec<OsString>), Failure> {
        let mut all = std::env::args_os().skip(1);
        let own: Vec<_> = all.by_ref().take_while(|argument| argument != "--").collect();
        Ok((Self::with_fake(usage, known, Parser::from_args(own))?, all.collect()))
    }

    fn with_fake(
        usage: &'static str,
        known: &[&'static str],
        parser: Parser,
    ) -> Result<Self, Failure> {
        let known: Vec<_> = known.iter().copied().chain([FAKE]).collect();
        Self::parse(usage, &known, parser).map_err(|failure| match failure {
            Failure::Help(text) => Failure::Help(text + FAKE_USAGE),
            failure => failure,
        })
    }

    fn parse(
        usage: &'static str,
        known: &[&'static str],
        mut parser: Parser,
    ) -> Result<Self, Failure> {
        let mut args = Self { usage, options: Vec::new(), positional: VecDeque::new() };
        let left = |parser: &mut Parser| parser.try_raw_args().map(|left| left.as_slice().len());
        let total = left(&mut parser).unwrap_or_default();
        let mut position = 1;
        loop {
            // `None` within `--option=value`, which is one argument.
            position = left(&mut parser).map_or(position, |left| total - left + 1);
            // The parser's own errors would quote the argument.
            let unexpected = || args.wrong(&format!("unexpected argument #{position}"));
            match parser.next().map_err(|_| unexpected())? {
                None => return Ok(args),
                Some(Arg::Short('h') | Arg::Long("help")) => {
                    return Err(Failure::Help(usage.to_owned()));
                }
                Some(Arg::Short(_)) => return Err(unexpected()),
                Some(Arg::Value(value)) => {
                    args.positional.push_back((position, checked(value, position)?));
                }
                Some(Arg::Long(name)) => {
                    let is_meant = |option: &&&str| option.trim_end_matches('=') == name;
                    let option = *known.iter().find(is_meant).ok_or_else(unexpected)?;
                    let Some(name) = option.strip_suffix('=') else {
                        args.options.push((option, String::new()));
                        continue;
                    };
                    let value = parser.value().ok();
                    let value = value.filter(|v| !v.as_encoded_bytes().starts_with(b"--"));
                    let missing = || args.wrong(&format!("missing value after --{name}"));
                    let value = checked(value.ok_or_else(missing)?, position)?;
                    args.options.push((name, value));
                }
            }
        }
    }

    /// Whether `--fake` was given.
    pub(crate) fn fake(&self) -> bool {
        self.flag(FAKE)
    }

    /// Whether the option was given.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| *given == name)
    }

    /// The option's values, in order.
    pub(crate) fn options(&self, name: &str) -> Vec<String> {
        let given = self.options.iter().filter(|(given, _)| *given == name);
        given.map(|(_, value)| value.clone()).collect()
    }

    /// The value of an option that may be given once.
    pub(crate) fn option(&self, name: &str) -> Result<Option<String>, Failure> {
        let mut values = self.options(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(self.wrong(&format!("--{name} is given more than once"))),
        }
    }

    /// The next positional argument.
    pub(crate) fn next(&mut self, what: &str) -> Result<String, Failure> {
        self.next_if_any().ok_or_else(|| self.wrong(&format!("missing {what}")))
    }

    /// The next positional argument, if any.
    pub(crate) fn next_if_any(&mut self) -> Option<String> {
        self.positional.pop_front().map(|(_, argument)| argument)
    }

    /// The remaining positional arguments, with positions.
    pub(crate) fn rest(&mut self) -> Vec<(usize, String)> {
        std::mem::take(&mut self.positional).into()
    }

    /// Refuses any remaining positional arguments.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        match self.positional.front() {
            None => Ok(()),
            Some((position, _)) => Err(self.wrong(&format!("unexpected argument #{position}"))),
        }
    }

    pub(crate) fn wrong(&self, message: &str) -> Failure {
        Failure::Usage(format!("{message}\n\n{}", self.usage.trim_end()))
    }
}

/// The argument as text, unless it is `KEY=VALUE`.
fn checked(argument: OsString, position: usize) -> Result<String, Failure> {
    let Ok(argument) = argument.into_string() else {
        return Err(Failure::Usage(format!("argument #{position} is not UTF-8")));
    };
    if argument.contains('=') {
        return Err(Failure::Usage(format!(
            "argument #{position} contains a `=` and was not used. Values are never read from the command \
             line, where the shell's history and the list of processes would keep them: put the value into \
             an environment variable and name only the key, as KEY or KEY:VARIABLE. If this was a real \
             secret, change it."
        )));
    }
    Ok(argument)
}
