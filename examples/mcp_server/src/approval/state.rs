//! What an approval is bound to, sealed so that it can travel through a client that is not trusted.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rmcp::model::{RequestStateCodec, SealOptions};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What was asked about. It holds no value, and none can be computed from it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) tool: String,
    /// Hashes.
    pub(crate) arguments: String,
    pub(crate) group: Option<String>,
    pub(crate) markers: String,
    pub(crate) plan: String,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    asked: Asked,
    nonce: String,
}

/// Why an approval is not valid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Forged, for another call, expired or used. A client is not told which.
    Invalid,
    /// It is for a different plan than the one that would be applied now.
    Changed,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "Asked again: the approval is too old, used, or not for this call.",
            Self::Changed => "Asked again: the group has changed since the question.",
        })
    }
}

/// Seals questions and accepts each answer once. The key belongs to this process.
pub(crate) struct Approvals {
    codec: RequestStateCodec,
    timeout: Duration,
    /// Approvals that were used, until they would have expired.
    used: Mutex<HashMap<String, Instant>>,
}

impl Approvals {
    pub(crate) fn new(timeout: Duration) -> Result<Self, Box<dyn std::error::Error>> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { codec: RequestStateCodec::try_new(key)?, timeout, used: Mutex::default() })
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn seal(&self, asked: Asked) -> Result<String, Failure> {
        let failed = || Failure::no_answer("the question could not be sealed");
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| failed())?;
        let nonce = hex(&nonce);
        let options = SealOptions::new().ttl(self.timeout);
        self.codec.seal_json_with(&Sealed { asked, nonce }, &options).map_err(|_| failed())
    }

    /// `Ok` once for a state that was sealed for the change that would be made now.
    pub(crate) fn redeem(&self, state: &str, now: &Asked) -> Result<(), Refused> {
        let Sealed { asked, nonce } = self.codec.open_json(state).map_err(|_| Refused::Invalid)?;
        if asked.tool != now.tool || asked.arguments != now.arguments || !self.take(nonce) {
            return Err(Refused::Invalid);
        }
        if asked == *now { Ok(()) } else { Err(Refused::Changed) }
    }

    fn take(&self, nonce: String) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        // Twice as long as the codec accepts it, since the codec uses another clock.
        let keep = self.timeout.saturating_mul(2);
        used.retain(|_, since| since.elapsed() < keep);
        used.insert(nonce, Instant::now()).is_none()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(change: impl FnOnce(&mut Asked)) -> Asked {
        let mut asked = Asked {
            tool: "tfy_secret_groups_edit".to_owned(),
            arguments: "a".to_owned(),
            group: Some("g".to_owned()),
            markers: "m".to_owned(),
            plan: "p".to_owned(),
        };
        change(&mut asked);
        asked
    }

    fn approvals() -> Approvals {
        Approvals::new(Duration::from_secs(300)).unwrap()
    }

    #[test]
    fn an_approval_holds_once_and_for_its_plan_only() {
        let approvals = approvals();
        let state = approvals.seal(asked(|_| ())).unwrap();
        assert_eq!(approvals.redeem(&state, &asked(|_| ())), Ok(()));
        assert_eq!(approvals.redeem(&state, &asked(|_| ())), Err(Refused::Invalid), "used");

        let others = [
            (asked(|now| now.tool = "tfy_secret_groups_delete".to_owned()), Refused::Invalid),
            (asked(|now| now.arguments = "b".to_owned()), Refused::Invalid),
            (asked(|now| now.group = Some("h".to_owned())), Refused::Changed),
            (asked(|now| now.markers = "n".to_owned()), Refused::Changed),
            (asked(|now| now.plan = "q".to_owned()), Refused::Changed),
        ];
        for (now, refused) in others {
            let state = approvals.seal(asked(|_| ())).unwrap();
            assert_eq!(approvals.redeem(&state, &now), Err(refused), "{now:?}");
        }
    }

    #[test]
    fn an_approval_of_a_plan_that_has_changed_is_spent() {
        let approvals = approvals();
        let state = approvals.seal(asked(|_| ())).unwrap();
        let changed = asked(|now| now.plan = "q".to_owned());
        assert_eq!(approvals.redeem(&state, &changed), Err(Refused::Changed));
        assert_eq!(approvals.redeem(&state, &asked(|_| ())), Err(Refused::Invalid));
    }

    #[test]
    fn what_this_process_did_not_seal_is_refused() {
        let approvals = approvals();
        let state = approvals.seal(asked(|_| ())).unwrap();
        let elsewhere = self::approvals().seal(asked(|_| ())).unwrap();
        // Every character counts.
        let forged = (0..state.len()).map(|at| {
            let mut bytes = state.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        });
        for other in forged.chain([elsewhere, String::new(), "rs1..".to_owned(), "{}".to_owned()]) {
            assert_eq!(approvals.redeem(&other, &asked(|_| ())), Err(Refused::Invalid), "{other}");
        }
        assert_eq!(approvals.redeem(&state, &asked(|_| ())), Ok(()));
    }

    #[test]
    fn an_approval_that_is_too_old_is_refused() {
        let approvals = Approvals::new(Duration::ZERO).unwrap();
        let state = approvals.seal(asked(|_| ())).unwrap();
        // Its expiry is a time in milliseconds.
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(approvals.redeem(&state, &asked(|_| ())), Err(Refused::Invalid));
    }
}
