//! The command line. A secret given there would stay in the shell's history and in everybody's list of
//! processes, so nothing of it that is not understood is ever repeated.

use std::ffi::OsString;

use super::Failure;

pub(crate) struct Args {
    usage: &'static str,
    /// With the position on the command line, from 1, by which it is named in messages.
    given: Vec<(usize, String)>,
}

impl Args {
    pub(crate) fn from_env(usage: &'static str) -> Result<Self, Failure> {
        Self::new(usage, std::env::args_os().enumerate().skip(1))
    }

    /// What stands before `--` for this program, and what stands behind it, untouched, for the one that
    /// it runs.
    pub(crate) fn from_env_with_command(
        usage: &'static str,
    ) -> Result<(Self, Vec<OsString>), Failure> {
        let mut all = std::env::args_os().enumerate().skip(1);
        let own: Vec<_> = all.by_ref().take_while(|(_, argument)| argument != "--").collect();
        Ok((Self::new(usage, own)?, all.map(|(_, argument)| argument).collect()))
    }

    fn new(
        usage: &'static str,
        arguments: impl IntoIterator<Item = (usize, OsString)>,
    ) -> Result<Self, Failure> {
        let mut given = Vec::new();
        for (position, argument) in arguments {
            let Ok(argument) = argument.into_string() else {
                return Err(Failure::Usage(format!("argument {position} is not UTF-8")));
            };
            if argument == "--help" || argument == "-h" {
                return Err(Failure::Help(usage));
            }
            if argument.contains('=') {
                return Err(Failure::Usage(format!(
                    "argument {position} holds a `=` and was not used. Values are never taken from the \
                     command line, where the shell's history and the list of processes would keep them: \
                     put the value into an environment variable and name only the key, as KEY or \
                     KEY:VARIABLE. If a real secret stood there, change it."
                )));
            }
            given.push((position, argument));
        }
        Ok(Self { usage, given })
    }

    /// Whether the flag is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.given.len();
        self.given.retain(|(_, argument)| argument != name);
        self.given.len() < before
    }

    /// What follows the option, each time that it is given.
    pub(crate) fn options(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        let mut values = Vec::new();
        while let Some(at) = self.given.iter().position(|(_, argument)| argument == name) {
            self.given.remove(at);
            let value = self.given.get(at).filter(|(_, value)| !value.starts_with("--"));
            if value.is_none() {
                return Err(self.wrong(&format!("{name} needs something after it")));
            }
            values.push(self.given.remove(at).1);
        }
        Ok(values)
    }

    /// What follows the option, which may be given once.
    pub(crate) fn option(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let mut values = self.options(name)?;
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(self.wrong(&format!("{name} is given more than once"))),
        }
    }

    /// The next argument that is no option.
    pub(crate) fn next(&mut self, what: &str) -> Result<String, Failure> {
        self.no_options_left()?;
        if self.given.is_empty() {
            return Err(self.wrong(&format!("{what} is missing")));
        }
        Ok(self.given.remove(0).1)
    }

    /// The next argument that is no option, where there is one.
    pub(crate) fn next_if_any(&mut self) -> Result<Option<String>, Failure> {
        self.no_options_left()?;
        Ok((!self.given.is_empty()).then(|| self.given.remove(0).1))
    }

    /// All that is left, with positions.
    pub(crate) fn rest(&mut self) -> Result<Vec<(usize, String)>, Failure> {
        self.no_options_left()?;
        Ok(std::mem::take(&mut self.given))
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.given.first() {
            None => Ok(()),
            Some((position, _)) => Err(self.wrong(&format!("argument {position} is not expected"))),
        }
    }

    pub(crate) fn wrong(&self, message: &str) -> Failure {
        Failure::Usage(format!("{message}\n\n{}", self.usage.trim_end()))
    }

    fn no_options_left(&self) -> Result<(), Failure> {
        // A lone hyphen is stdin by custom.
        let is_option = |argument: &str| argument.starts_with('-') && argument != "-";
        match self.given.iter().find(|(_, argument)| is_option(argument)) {
            None => Ok(()),
            Some((position, _)) => {
                Err(self.wrong(&format!("argument {position} is not an option of this program")))
            }
        }
    }
}
