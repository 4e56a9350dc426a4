//! A server that fails as a row says, and a client for it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use truefoundry_secrets::Client;
use truefoundry_secrets::reqwest::{
    self,
    dns::{Addrs, Name, Resolve, Resolving},
};

use super::DEADLINE;
use super::row::{After, DATE, Fault, Row, SECONDS, Times};
use crate::support::raw::{Act, RawServer, ok, response};
use crate::support::{TENANT, builder};

pub(super) struct Stage {
    pub(super) server: RawServer,
    counted_by: Counted,
}

enum Counted {
    Requests,
    Connections,
    LookUps(Arc<AtomicUsize>),
}

impl Stage {
    /// How many times the call was tried.
    pub(super) fn attempts(&self) -> usize {
        match &self.counted_by {
            Counted::Requests => self.server.count(),
            Counted::Connections => self.server.connections(),
            Counted::LookUps(count) => count.load(Ordering::SeqCst),
        }
    }
}

/// Dropping the sender releases a slow response.
pub(super) fn set(row: Row) -> (Stage, Client, Option<Sender<Vec<u8>>>) {
    let faults = if row.times == Times::Once { 1 } else { usize::MAX };
    let success = row.endpoint.success();
    let fine = move || Act::Send(ok(success));
    match row.fault {
        Fault::Refused => {
            let server = RawServer::start(move |_, _| fine());
            let look_ups = Arc::new(AtomicUsize::new(0));
            let resolver = NobodyFirst { refused: faults, look_ups: Arc::clone(&look_ups) };
            let http = reqwest::ClientBuilder::new().no_proxy().dns_resolver(Arc::new(resolver));
            let url = format!("http://control-plane.test:{}", server.address().port());
            let client = patient(&url, Some(http));
            (Stage { server, counted_by: Counted::LookUps(look_ups) }, client, None)
        }
        Fault::ResetBefore => {
            let server = RawServer::slamming_first(faults, move |_, _| fine());
            let client = patient(&server.url(), None);
            (Stage { server, counted_by: Counted::Connections }, client, None)
        }
        Fault::SlowHead | Fault::SlowBody => {
            let (server, rest) = slow(row);
            let client = patient(&server.url(), None);
            (Stage { server, counted_by: Counted::Requests }, client, Some(rest))
        }
        fault => {
            let server = RawServer::start(
                move |n, _| {
                    if n < faults { fail(fault, success) } else { fine() }
                },
            );
            let client = patient(&server.url(), None);
            (Stage { server, counted_by: Counted::Requests }, client, None)
        }
    }
}

fn patient(url: &str, http: Option<reqwest::ClientBuilder>) -> Client {
    // The clock never reaches the time for connecting.
    let mut builder = builder(url).tenant(TENANT).timeout(DEADLINE).connect_timeout(100 * DEADLINE);
    if let Some(http) = http {
        builder = builder.http(http).allow_insecure_http();
    }
    builder.build().unwrap()
}

/// Half of a response at once; the other half, if any, when the sender is dropped.
fn slow(row: Row) -> (RawServer, Sender<Vec<u8>>) {
    let whole = ok(row.endpoint.success());
    let at = if row.fault == Fault::SlowHead { 20 } else { whole.len() - 1 };
    let (first, rest) = (whole[..at].to_vec(), whole[at..].to_vec());
    let (drop_to_go_on, dropped) = channel::<Vec<u8>>();
    let dropped = Mutex::new(Some(dropped));
    let server = RawServer::start(move |_, _| {
        let dropped =
            dropped.lock().unwrap().take().expect("a slow response is not asked for again");
        let (send, receive) = channel();
        send.send(first.clone()).unwrap();
        let rest = rest.clone();
        std::thread::spawn(move || {
            let _ = dropped.recv();
            let _ = send.send(rest);
        });
        Act::Feed(receive)
    });
    (server, drop_to_go_on)
}

fn fail(fault: Fault, success: &str) -> Act {
    let whole = ok(success);
    match fault {
        Fault::ResetAfter => Act::SendThenReset(Vec::new()),
        Fault::Closed => Act::SendThenClose(Vec::new()),
        Fault::CutHead => Act::SendThenClose(whole[..20].to_vec()),
        Fault::CutBody => Act::SendThenClose(whole[..whole.len() - 1].to_vec()),
        Fault::Status(status, after) => Act::Send(response(status, &header(after), "")),
        Fault::Refused | Fault::ResetBefore | Fault::SlowHead | Fault::SlowBody => unreachable!(),
    }
}

fn header(after: After) -> String {
    let date = |seconds| {
        let time = Timestamp::now() + SignedDuration::from_secs(seconds);
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap()
    };
    let value = match after {
        After::Unsaid => return String::new(),
        After::Seconds => SECONDS.to_string(),
        After::Date => date(DATE.cast_signed()),
        After::Past => date(-DATE.cast_signed()),
        After::Huge => u64::MAX.to_string(),
        After::Nonsense => "in a while".to_owned(),
    };
    format!("retry-after: {value}\r\n")
}

/// Directs the first look-ups to an address where nothing listens, as for a server without IPv6.
struct NobodyFirst {
    refused: usize,
    look_ups: Arc<AtomicUsize>,
}

impl Resolve for NobodyFirst {
    fn resolve(&self, _: Name) -> Resolving {
        let before = self.look_ups.fetch_add(1, Ordering::SeqCst);
        let address = if before < self.refused {
            SocketAddr::from((Ipv6Addr::LOCALHOST, 0))
        } else {
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
        };
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
    }
}
