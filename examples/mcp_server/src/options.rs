//! The command line.

use std::error::Error;
use std::time::Duration;

use lexopt::prelude::*;

use crate::values::AllowedEnv;

pub(crate) const USAGE: &str = "\
Usage: mcp_server [--allow-env PATTERN]... [--approval-timeout TIME] [--fake [--yes]]

Serves TrueFoundry secret groups as MCP tools on stdin and stdout. A client program starts it; the settings
are in its environment (TFY_BASE_URL, or TFY_HOST or TFY_API_HOST, and TFY_API_KEY), else the login of the
tfy CLI is used.

  --allow-env PATTERN      let tools write the values of these environment variables, such as 'DB_*';
                           without it no value can be written
  --approval-timeout TIME  how long a question waits for its answer, such as 90s or 5m (default and
                           maximum)
  --fake                   use a fake control plane within this program, with made-up data
  --yes                    change the fake without asking
";

/// The maximum age of an approval.
const MAX_APPROVAL_TIMEOUT: Duration = Duration::from_secs(5 * 60);

pub(crate) struct Options {
    pub(crate) help: bool,
    pub(crate) allowed: AllowedEnv,
    pub(crate) approval_timeout: Duration,
    pub(crate) fake: bool,
    pub(crate) yes: bool,
}

impl Options {
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            help: false,
            allowed: AllowedEnv::default(),
            approval_timeout: MAX_APPROVAL_TIMEOUT,
            fake: false,
            yes: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("allow-env") => options.allowed.allow(&parser.value()?.string()?)?,
                Long("approval-timeout") => {
                    options.approval_timeout = time(&parser.value()?.string()?)?;
                }
                Long("fake") => options.fake = true,
                Long("yes") => options.yes = true,
                Long("help") => options.help = true,
                other => return Err(other.unexpected().into()),
            }
        }
        if options.yes && !options.fake {
            return Err(
                "--yes is for --fake only: a real control plane is never changed unasked".into()
            );
        }
        Ok(options)
    }
}

fn time(text: &str) -> Result<Duration, Box<dyn Error>> {
    let seconds = match (text.strip_suffix('s'), text.strip_suffix('m')) {
        (Some(seconds), _) => seconds.parse().ok(),
        (_, Some(minutes)) => minutes.parse().ok().and_then(|minutes: u64| minutes.checked_mul(60)),
        _ => None,
    };
    let time =
        Duration::from_secs(seconds.ok_or("--approval-timeout is not a time such as 90s or 5m")?);
    if time.is_zero() || time > MAX_APPROVAL_TIMEOUT {
        return Err("--approval-timeout must be between 1s and 5m".into());
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn yes_is_for_the_fake_only() {
        assert!(parse(&["--yes"]).err().unwrap().contains("--fake"));
        assert!(parse(&["--fake", "--yes"]).unwrap().yes);
    }

    #[test]
    fn an_approval_is_never_older_than_five_minutes() {
        assert_eq!(parse(&[]).unwrap().approval_timeout, Duration::from_secs(300));
        assert_eq!(
            parse(&["--approval-timeout", "2m"]).unwrap().approval_timeout,
            Duration::from_secs(120)
        );
        for wrong in ["301s", "6m", "0s", "5", "", "-1s", "18446744073709551615m"] {
            assert!(parse(&["--approval-timeout", wrong]).is_err(), "{wrong}");
        }
    }
}
