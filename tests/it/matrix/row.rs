//! The table's rows, and what follows from each.

use std::time::Duration;

use super::DEADLINE;
use crate::support::endpoints::Endpoint::{self, *};

pub(super) const STATUSES: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// The default policy.
const ATTEMPTS: usize = 4;

pub(super) const SECONDS: u64 = 700;
pub(super) const DATE: u64 = 1000;
/// When a slow response arrives, if it does.
const SLOW: Duration = Duration::from_secs(1800);

#[rustfmt::skip]
const COLUMNS: &str =
    "Refused|ResetBefore|ResetAfter|Closed|CutHead|CutBody|SlowHead|SlowBody|408|429|500|502|503|504";

/// Whether a call of the endpoint is retried after the fault of the column. Written by hand, and not derived
/// from anything: a call that can act twice is retried only if no connection was made.
#[rustfmt::skip]
pub(super) const RETRIED: [(Endpoint, &str); 16] = [
    (ListGroups,     "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (ListPartial,    "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (GetGroup,       "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (GetByName,      "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (CreateGroup,    "yes    |no         |no        |no    |no     |no     |no      |no      |no |no |no |no |no |no "),
    (UpdateGroup,    "yes    |no         |no        |no    |no     |no     |no      |no      |no |no |no |no |no |no "),
    (CreateOrUpdate, "yes    |no         |no        |no    |no     |no     |no      |no      |no |no |no |no |no |no "),
    (DryRun,         "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (DeleteGroup,    "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (ListSecrets,    "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (GetSecret,      "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (Versions,       "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (DeleteSecret,   "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (ListStores,     "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (ListAccounts,   "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
    (Whoami,         "yes    |yes        |yes       |yes   |yes    |yes    |no      |no      |yes|yes|yes|yes|yes|yes"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// Nothing listens.
    Refused,
    /// The connection is made, and broken before the request is read.
    ResetBefore,
    /// The whole request arrived; then the connection is reset.
    ResetAfter,
    /// The whole request arrived; then the connection is closed without a reply.
    Closed,
    CutHead,
    CutBody,
    /// The head begins and stalls.
    SlowHead,
    /// The body begins and stalls.
    SlowBody,
    Status(u16, After),
}

/// The `Retry-After` of a failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum After {
    Unsaid,
    Seconds,
    Date,
    Past,
    /// Longer than the deadline.
    Huge,
    Nonsense,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Times {
    Once,
    Always,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) fault: Fault,
    pub(super) times: Times,
    pub(super) endpoint: Endpoint,
}

pub(super) struct Wait {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

pub(super) struct Expected {
    /// `None` for a success.
    pub(super) variant: Option<&'static str>,
    pub(super) status: Option<u16>,
    pub(super) attempts: usize,
    /// After each of the first attempts.
    pub(super) waits: Vec<Wait>,
    /// The server may have done it.
    pub(super) unclear: bool,
}

impl Fault {
    /// The name of its column.
    fn column(self) -> String {
        match self {
            Fault::Status(status, _) => status.to_string(),
            fault => format!("{fault:?}"),
        }
    }
}

impl Row {
    pub(super) fn expected(self) -> Expected {
        let again = self.is_retried();
        let attempts = match (again, self.times) {
            (false, _) => 1,
            (true, Times::Once) => 2,
            (true, Times::Always) => ATTEMPTS,
        };
        let comes_late = self.is_slow() && self.times == Times::Once;
        let success = comes_late || (again && self.times == Times::Once);
        let waits = match (self.is_slow(), self.times) {
            (true, Times::Once) => vec![Wait::exactly(SLOW)],
            (true, Times::Always) => vec![Wait::exactly(DEADLINE)],
            (false, _) => (1..attempts).filter_map(|_| self.wait()).collect(),
        };
        let (variant, status, unclear) = self.failure();
        let variant = (!success).then_some(variant);
        Expected { variant, status, attempts, waits, unclear }
    }

    fn is_slow(self) -> bool {
        matches!(self.fault, Fault::SlowHead | Fault::SlowBody)
    }

    fn is_retried(self) -> bool {
        // The wait would pass the deadline.
        if let Fault::Status(_, After::Huge) = self.fault {
            return false;
        }
        let (_, cells) = RETRIED.into_iter().find(|row| row.0 == self.endpoint).expect("a row");
        let column = COLUMNS.split('|').position(|name| name.trim() == self.fault.column());
        let cell = cells.split('|').nth(column.expect("a column")).expect("a cell");
        match cell.trim() {
            "yes" => true,
            "no" => false,
            other => panic!("{other:?} in the table"),
        }
    }

    /// The client's own delay is zero here, so that only the server's waits take time.
    fn wait(self) -> Option<Wait> {
        match self.fault {
            Fault::Status(_, After::Seconds) => Some(Wait::exactly(Duration::from_secs(SECONDS))),
            // Compared with the machine's clock, which advances while the response travels.
            Fault::Status(_, After::Date) => Some(Wait {
                least: Duration::from_secs(DATE - 100),
                most: Duration::from_secs(DATE),
            }),
            _ => None,
        }
    }

    /// The error's name and status, and whether the server may have done it.
    fn failure(self) -> (&'static str, Option<u16>, bool) {
        match self.fault {
            Fault::Refused => ("Connect", None, false),
            Fault::ResetBefore | Fault::ResetAfter | Fault::Closed | Fault::CutHead => {
                ("Transport", None, true)
            }
            Fault::CutBody => ("Transport", Some(200), true),
            Fault::SlowHead | Fault::SlowBody => ("Timeout", None, true),
            Fault::Status(429, _) => ("RateLimited", Some(429), false),
            Fault::Status(status, _) => ("Service", Some(status), true),
        }
    }
}

impl Wait {
    fn exactly(time: Duration) -> Self {
        Self { least: time, most: time }
    }
}
