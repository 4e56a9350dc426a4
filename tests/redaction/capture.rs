//! What the process logs, and what it says when it panics.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, Once};

use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What was logged on threads that do not walk an area, whichever area they worked for.
static ELSEWHERE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

thread_local! {
    /// All that was logged on this thread through `tracing` and `log` at TRACE, while an area is walked on it.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    /// The messages of expected panics, while they are expected.
    static PANICS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What was logged on this thread since the last call, and on threads outside tests since the
/// process began.
pub(crate) fn drain() -> String {
    let mut logged = LOGGED.with_borrow_mut(|logged| take(logged.as_mut().expect("begun")));
    logged.extend_from_slice(&ELSEWHERE.lock().unwrap());
    String::from_utf8_lossy(&logged).into_owned()
}

struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| match logged {
            Some(logged) => logged.extend_from_slice(bytes),
            None => ELSEWHERE.lock().unwrap().extend_from_slice(bytes),
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl log::Log for Sink {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        io::Write::write_fmt(
            &mut Sink,
            format_args!("log: {} {}: {}\n", record.level(), record.target(), record.args()),
        )
        .unwrap();
    }

    fn flush(&self) {}
}

/// From here on this thread's logs are captured. The loggers belong to the process, and are
/// installed once.
pub(crate) fn begin() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(install);
    LOGGED.set(Some(Vec::new()));
}

fn install() {
    log::set_logger(&Sink).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(|| Sink)
        .finish()
        .init();
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        PANICS.with_borrow_mut(|said| match said {
            Some(said) => writeln!(said, "{panic}\n{panic:?}").unwrap(),
            None => usual(panic),
        });
    }));
}

/// The message of the panic that `action` must cause.
pub(crate) fn panic_message(action: impl FnOnce()) -> String {
    PANICS.set(Some(String::new()));
    let panicked = catch_unwind(AssertUnwindSafe(action));
    let said = PANICS.take().unwrap_or_default();
    let payload = panicked.expect_err("it did not panic");
    let payload = payload.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(said.contains(payload.lines().next().unwrap_or_default()), "{said}");
    format!("{said}{payload}")
}
