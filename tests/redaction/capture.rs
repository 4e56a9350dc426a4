//! What the process logs, and what it says when it panics.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;

use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// All that was logged through `tracing` and `log` at TRACE.
#[derive(Default)]
pub(crate) struct Capture(Mutex<Vec<u8>>);

static CAPTURE: Capture = Capture(Mutex::new(Vec::new()));

thread_local! {
    /// The messages of panics that are wanted, while they are wanted.
    static PANICS: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl Capture {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// What was logged since the last call.
    pub(crate) fn drain(&self) -> String {
        let text = self.text();
        self.0.lock().unwrap().clear();
        text
    }
}

struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURE.0.lock().unwrap().extend_from_slice(bytes);
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

/// From here on everything is captured. Once per process.
pub(crate) fn install() -> &'static Capture {
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
    &CAPTURE
}

/// What a panic says that `action` is sure to cause.
pub(crate) fn panic_message(action: impl FnOnce()) -> String {
    PANICS.set(Some(String::new()));
    let panicked = catch_unwind(AssertUnwindSafe(action));
    let said = PANICS.take().unwrap_or_default();
    let payload = panicked.expect_err("it did not panic");
    let payload = payload.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(said.contains(payload.lines().next().unwrap_or_default()), "{said}");
    format!("{said}{payload}")
}
