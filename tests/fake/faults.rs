use std::time::Duration;

use serde_json::{Value, json};
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use crate::raw::{call, exchange, get, request};

async fn app() -> (FakeTrueFoundry, String) {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1"), ("B", "2")]);
    let put = format!("PUT /secret-groups/{}", fake.group_id("app").unwrap());
    (fake, put)
}

fn change() -> Value {
    json!({ "secrets": [{ "key": "A", "value": "new" }, { "key": "B" }] })
}

#[tokio::test]
async fn a_status_happens_as_often_as_said_and_only_where_it_is_meant() {
    let (fake, put) = app().await;
    fake.inject(Fault::status(503).times(2).on("PUT /secret-groups/").retry_after("2"));
    assert_eq!(get(&fake, "/secret-groups").await.status, 200);
    for _ in 0..2 {
        let reply = call(&fake, &put, change()).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("2")));
        assert_eq!(reply.refusal().1, "Service Unavailable");
    }
    assert_eq!((fake.pending_faults(), fake.version("app", "A")), (0, Some(1)));
    assert_eq!(call(&fake, &put, change()).await.status, 200);
}

#[tokio::test]
async fn faults_wait_in_a_queue() {
    let fake = FakeTrueFoundry::start().await;
    for fault in [
        Fault::status(500).on("secrets.get"),
        Fault::status(429).on("GET"),
        Fault::status(502),
        Fault::status(418).on("*").forever(),
    ] {
        fake.inject(fault);
    }
    for expected in [429, 502, 418, 418] {
        assert_eq!(get(&fake, "/secret-groups").await.status, expected);
    }
    assert_eq!(get(&fake, "/secrets/x").await.status, 500);
    fake.clear_faults();
    assert_eq!(get(&fake, "/secret-groups").await.status, 200);
}

#[tokio::test]
async fn the_response_of_a_fault_can_be_anything() {
    let fake = FakeTrueFoundry::start().await;
    fake.inject(Fault::status(409).header("x-extra", "1").message("taken").code("Taken"));
    let reply = get(&fake, "/secret-groups").await;
    assert_eq!(reply.header("x-extra"), Some("1"));
    assert_eq!(reply.refusal(), (409, "taken".to_owned(), "Taken".to_owned()));

    fake.inject(Fault::status(502).retry_after("1").body("text/html", "<h1>Bad Gateway</h1>"));
    let reply = get(&fake, "/secret-groups").await;
    assert_eq!(
        (reply.header("content-type"), reply.header("retry-after")),
        (Some("text/html"), Some("1"))
    );
    assert_eq!(reply.body, b"<h1>Bad Gateway</h1>");

    fake.inject(Fault::status(200).json(json!({ "data": [] })));
    assert_eq!(get(&fake, "/secret-groups").await.json(), json!({ "data": [] }));

    fake.inject(Fault::status(302).header("location", "http://example.com/"));
    let reply = get(&fake, "/secret-groups").await;
    assert_eq!((reply.status, reply.header("location")), (302, Some("http://example.com/")));
}

#[tokio::test]
async fn a_gateway_may_give_up_on_work_that_is_done() {
    let (fake, put) = app().await;
    fake.inject(Fault::status(504).after_work());
    assert_eq!(call(&fake, &put, change()).await.status, 504);
    assert_eq!(fake.value("app", "A").as_deref(), Some("new"));
}

#[tokio::test]
async fn a_connection_can_end_before_or_after_the_work() {
    let (fake, put) = app().await;
    let text = request(&fake, &put, &change().to_string());
    fake.inject(Fault::drop_before());
    fake.inject(Fault::drop_after());
    assert_eq!(exchange(&fake, &text).await.unwrap(), b"");
    assert_eq!(fake.version("app", "A"), Some(1));
    assert_eq!(exchange(&fake, &text).await.unwrap(), b"");
    assert_eq!(fake.version("app", "A"), Some(2));
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_announced() {
    let (fake, put) = app().await;
    fake.inject(Fault::cut_body());
    let reply = call(&fake, &put, change()).await;
    let announced: usize = reply.header("content-length").unwrap().parse().unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body.len(), announced / 2);
    assert_eq!(fake.version("app", "A"), Some(2));
}

#[tokio::test]
async fn late_work_is_done_after_the_connection_ended() {
    let (fake, put) = app().await;
    let text = request(&fake, &put, &change().to_string());
    fake.inject(Fault::delay_work(Duration::from_secs(3600)));
    assert_eq!(exchange(&fake, &text).await.unwrap(), b"");
    assert_eq!(fake.version("app", "A"), Some(1));
    // From here on the clock advances as soon as nothing else is left to do.
    tokio::time::pause();
    fake.idle().await;
    assert_eq!(fake.version("app", "A"), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_delay_still_responds() {
    let fake = FakeTrueFoundry::start().await;
    fake.inject(Fault::delay(Duration::from_secs(3600)));
    fake.inject(Fault::status(503).wait(Duration::from_secs(3600)));
    assert_eq!(get(&fake, "/secret-groups").await.status, 200);
    assert_eq!(get(&fake, "/secret-groups").await.status, 503);
}
