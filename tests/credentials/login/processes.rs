//! Programs that end right after their call.

use std::process::{Command, Stdio};

use truefoundry_secrets::testing::Fault;

use super::*;

const FILE: &str = "CREDENTIALS_TEST_FILE";

/// One call, and the end of the process, without giving its runtime another turn.
#[test]
#[ignore = "a part of other tests, which start it in a process of its own"]
fn one_call() {
    let login = CliLogin::open(std::env::var(FILE).unwrap()).unwrap();
    let client = Client::builder().base_url(login.host()).credentials(login).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(call(&client));
    std::process::exit(i32::from(result.is_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_right_after_its_call_has_not_lost_its_login() {
    let (fake, login, home) = expiring().await;
    // The token is good for another minute, and the response is slow.
    fake.inject(Fault::delay(Duration::from_millis(200)).on("oauth2.token"));
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "login::processes::one_call", "--ignored"]);
    program.env(FILE, home.file()).stdout(Stdio::null());
    let status = tokio::task::spawn_blocking(move || program.status().unwrap()).await.unwrap();
    assert!(status.success());
    assert_ne!(home.stored()["refresh_token"], login.refresh_token());
    // The login that it left works, twice.
    fake.advance_token_clock(HOUR);
    call(&home.client()).await.unwrap();
    let spent = spent(&fake);
    assert_eq!(spent.len(), 2, "{spent:?}");
    assert_ne!(spent[0], spent[1]);
}

/// The runtime of a synchronous program does not run between its calls, nor does a refresh that a
/// call has stopped waiting for.
#[test]
fn a_refresh_goes_on_while_its_runtime_stands_still() {
    let server = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (fake, login, home) = server.block_on(expiring());
    fake.advance_token_clock(HOUR);
    fake.inject(Fault::delay(Duration::from_millis(400)).on("oauth2.token"));
    let own = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = home.client().with_timeout(Duration::from_millis(200));
    own.block_on(call(&client)).unwrap_err();
    std::thread::sleep(Duration::from_millis(600));
    assert_ne!(home.stored()["refresh_token"], login.refresh_token());
    own.block_on(call(&client)).unwrap();
}
