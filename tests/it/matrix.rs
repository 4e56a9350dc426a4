//! Every endpoint against every fault, once and always: the outcome, the number of requests and the time.
//!
//! What is retried is written in a table of its own, `row::RETRIED`.
//! The clock is paused, and advanced only by the test.

mod row;
mod stage;

use std::collections::BTreeSet;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant as RealInstant};

use tokio::task::JoinHandle;
use tokio::time::Instant;
use truefoundry_secrets::Error;

use crate::support::clock::{HeldClock, pass};
use crate::support::endpoints::{self, Endpoint, SENT};
use crate::support::raw::{Act, RawServer, response};
use crate::support::{TENANT, assert_nowhere, assert_well_formed, builder, variant};
use row::{After, Expected, Fault, Row, STATUSES, Times, Wait};
use stage::Stage;

/// How long a call may take; the table's waits are chosen for it.
const DEADLINE: Duration = Duration::from_secs(3600);
/// A wait is not over this long before its end, and is over this long after it.
const MOMENT: Duration = Duration::from_millis(10);
/// A call that is not done in this much real time never will be.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn connections_that_fail() {
    for fault in [Fault::Refused, Fault::ResetBefore, Fault::ResetAfter, Fault::Closed] {
        run(fault).await;
    }
}

#[tokio::test(start_paused = true)]
async fn responses_that_are_cut() {
    for fault in [Fault::CutHead, Fault::CutBody] {
        run(fault).await;
    }
}

#[tokio::test(start_paused = true)]
async fn responses_that_are_slow() {
    for fault in [Fault::SlowHead, Fault::SlowBody] {
        run(fault).await;
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_ask_for_nothing_or_for_nonsense() {
    for status in STATUSES {
        for after in [After::Unsaid, After::Nonsense, After::Past] {
            run(Fault::Status(status, after)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_ask_for_a_wait_in_seconds() {
    for status in STATUSES {
        run(Fault::Status(status, After::Seconds)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_ask_for_a_wait_otherwise_or_for_too_long_a_one() {
    for status in STATUSES {
        for after in [After::Date, After::Huge] {
            run(Fault::Status(status, after)).await;
        }
    }
}

/// Those of the tenant and of a login have their own tests: `wire::tenant` and the target
/// `credentials`.
#[tokio::test]
async fn every_operation_is_in_the_table() {
    let mut called =
        BTreeSet::from(["GetTenantId", "GetCliSettings", "RefreshLogin"].map(str::to_owned));
    for endpoint in endpoints::ALL {
        let server = RawServer::start(|_, _| Act::Send(response(418, "", "")));
        let client = builder(server.url()).tenant(TENANT).build().unwrap();
        let error = endpoint.call(&client).await.unwrap_err();
        called.insert(format!("{:?}", error.context().unwrap().operation()));
        assert_eq!(row::RETRIED.iter().filter(|row| row.0 == endpoint).count(), 1, "{endpoint:?}");
    }
    let listed = include_str!("../public-api.txt").lines();
    let listed: BTreeSet<_> = listed
        .filter_map(|line| line.split_once("pub truefoundry_secrets::Operation::"))
        .map(|(_, name)| name.to_owned())
        .collect();
    assert_eq!(called, listed);
}

async fn run(fault: Fault) {
    // The form of a wait is parsed in the same way each time.
    let is_written_oddly = matches!(
        fault,
        Fault::Status(_, After::Date | After::Past | After::Huge | After::Nonsense)
    );
    let times: &[_] = if is_written_oddly { &[Times::Once] } else { &[Times::Once, Times::Always] };
    for &times in times {
        for endpoint in endpoints::ALL {
            let row = Row { fault, times, endpoint };
            let case = format!("{row:?}");
            let (stage, client, rest) = stage::set(row);
            let clock = HeldClock::new();
            let begun = Instant::now();
            let call = tokio::spawn(async move { endpoint.call(&client).await });
            let expected = row.expected();
            let (result, passed) = drive(&stage, call, &expected.waits, rest, &case).await;
            assert_eq!(begun.elapsed(), passed, "{case}");
            drop(clock);
            check(&stage, result, endpoint, &expected, &case);
        }
    }
}

/// Lets each wait pass and checks that nothing happens before it ends. Returns how much time
/// passed.
async fn drive(
    stage: &Stage,
    call: JoinHandle<Result<(), Error>>,
    waits: &[Wait],
    mut rest: Option<Sender<Vec<u8>>>,
    case: &str,
) -> (Result<(), Error>, Duration) {
    let mut passed = Duration::ZERO;
    for (before, wait) in waits.iter().enumerate() {
        stage.server.wait_for(before + 1).await;
        pass(wait.least.saturating_sub(MOMENT)).await;
        assert!(!call.is_finished(), "{case}: finished within wait {before}");
        assert_eq!(stage.attempts(), before + 1, "{case}: too early");
        pass(wait.most.saturating_sub(wait.least) + 2 * MOMENT).await;
        passed += wait.most + MOMENT;
        // Lets the rest of a slow response arrive, if it should.
        drop(rest.take());
    }
    let since = RealInstant::now();
    while !call.is_finished() {
        assert!(since.elapsed() < READ_TIMEOUT, "{case}: it goes on after {passed:?}");
        tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
    }
    (call.await.unwrap(), passed)
}

fn check(
    stage: &Stage,
    result: Result<(), Error>,
    endpoint: Endpoint,
    expected: &Expected,
    case: &str,
) {
    assert_eq!(stage.attempts(), expected.attempts, "{case}: {result:?}");
    let Some(name) = expected.variant else {
        assert!(result.is_ok(), "{case}: {result:?}");
        return;
    };
    let error = result.expect_err(case);
    assert_eq!((&*variant(&error), error.status()), (name, expected.status), "{case}: {error}");
    let context = error.context().expect(case);
    assert_eq!(context.attempts() as usize, expected.attempts, "{case}");
    let least: Duration = expected.waits.iter().map(|wait| wait.least).sum();
    let most: Duration = expected.waits.iter().map(|wait| wait.most + 2 * MOMENT).sum();
    let elapsed = context.elapsed();
    assert!(least <= elapsed && elapsed <= most, "{case}: {elapsed:?}, not {least:?} to {most:?}");
    assert!(error.is_retryable(), "{case}");
    let changes = endpoint.is_write() || endpoint.is_delete();
    assert_eq!(error.may_have_been_applied(), expected.unclear && changes, "{case}");
    assert_well_formed(&error);
    assert_nowhere(&error, &[SENT]);
}
