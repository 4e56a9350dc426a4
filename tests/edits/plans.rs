//! What a plan says, and what applying it does.

use std::time::Duration;

use truefoundry_secrets::{Error, SecretValue};

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_plan_names_what_it_would_do_and_changes_nothing() {
    let (fake, id) = app(&["DB-PASSWORD", "OLD-KEY", "K1", "K2", "K3", "K4"]).await;
    let client = client(&fake, SETTLE);
    let plan = client
        .secret_groups()
        .edit(&id)
        .set("DB-PASSWORD", "correct horse battery")
        .set("NEW", "staple of the battery")
        .remove("OLD-KEY")
        .plan()
        .await
        .unwrap();
    assert_eq!(plan.to_string(), "app: + NEW  ~ DB-PASSWORD  - OLD-KEY  = 4 kept");
    assert_eq!(plan.added(), ["NEW"]);
    assert_eq!(plan.rotated(), ["DB-PASSWORD"]);
    assert_eq!(plan.removed(), ["OLD-KEY"]);
    assert_eq!(plan.kept(), ["K1", "K2", "K3", "K4"]);
    assert_eq!(plan.group().unwrap().name(), Some(APP));
    assert!(!plan.is_empty());
    assert_eq!(fake.keys(APP).len(), 6);
    assert_eq!(fake.version(APP, "DB-PASSWORD"), Some(1));

    let done = plan.apply().await.unwrap();
    assert_eq!(done.to_string(), "+ NEW  ~ DB-PASSWORD  - OLD-KEY  = 4 kept");
    assert_eq!(done.group().unwrap().secrets().unwrap().len(), 6);
    assert_eq!(sorted(fake.keys(APP)), ["DB-PASSWORD", "K1", "K2", "K3", "K4", "NEW"]);
    assert_eq!(fake.value(APP, "DB-PASSWORD").as_deref(), Some("correct horse battery"));
    assert_eq!(fake.version(APP, "DB-PASSWORD"), Some(2));
    for key in ["K1", "K2", "K3", "K4"] {
        assert_eq!(fake.value(APP, key), Some(format!("old value of {key}")));
        assert_eq!(fake.version(APP, key), Some(1), "what is kept is not written again");
    }
}

#[tokio::test]
async fn a_plan_owns_its_client_and_can_be_sent_to_another_task() {
    let (fake, id) = app(&["A"]).await;
    let plan = client(&fake, SETTLE).secret_groups().edit(&id).set("B", "1").plan().await.unwrap();
    tokio::spawn(plan.apply()).await.unwrap().unwrap();
    assert_eq!(fake.keys(APP), ["A", "B"]);
}

#[tokio::test]
async fn the_list_that_is_written_keeps_keys_without_values() {
    let (fake, id) = app(&["A", "B"]).await;
    client(&fake, SETTLE).secret_groups().edit(&id).set("B", "new").apply().await.unwrap();
    let put = fake.requests().into_iter().find(|one| one.operation() == Some(PUT)).unwrap();
    let expected = serde_json::json!({
        "secrets": [{ "key": "A" }, { "key": "B", "value": "new" }]
    });
    assert_eq!(put.body().unwrap(), &expected);
}

#[tokio::test]
async fn hostile_names_cannot_forge_a_line_or_steer_a_terminal() {
    let keys = ["A\nprod: nothing to change", "B\u{1b}[2J", "C\u{202e}terces", "D\r"];
    let (fake, id) = app(&keys).await;
    let client = client(&fake, SETTLE);
    let mut edit = client.secret_groups().edit(&id).set("N\u{7}", "value").set(keys[0], "value");
    for key in &keys[1..] {
        edit = edit.remove(*key);
    }
    let plan = edit.plan().await.unwrap();
    let shown = plan.to_string();
    assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
    assert!(shown.contains("+ N\\u{7}"), "{shown}");
    assert!(shown.contains("~ A\\nprod"), "{shown}");
    plan.apply().await.unwrap();
    assert_eq!(fake.keys(APP), [keys[0], "N\u{7}"]);
}

#[tokio::test]
async fn no_text_of_an_edit_a_plan_or_what_came_of_it_holds_a_value() {
    const VALUE: &str = "hunter2-of-the-plan";
    let (fake, id) = app(&["A", "B"]).await;
    let client = client(&fake, SETTLE);
    let edit =
        || client.secret_groups().edit(&id).set("A", VALUE).set("N", SecretValue::from(VALUE));
    let mut texts = format!("{:?} {:#?}", edit(), edit());
    let plan = edit().plan().await.unwrap();
    texts.push_str(&format!("{plan} {plan:?} {plan:#?}"));
    let stale = edit().plan().await.unwrap();
    let done = plan.apply().await.unwrap();
    texts.push_str(&format!("{done} {done:?} {done:#?}"));
    texts.push_str(&all_texts(&stale.apply().await.unwrap_err()));
    fake.inject(
        truefoundry_secrets::testing::Fault::status(422)
            .message(&format!("{VALUE} is not good enough"))
            .on(PUT),
    );
    texts.push_str(&all_texts(&edit().apply().await.unwrap_err()));
    assert!(!texts.contains("hunter2"), "{texts}");
    assert!(!texts.contains(fake.api_key()), "{texts}");
    assert!(!texts.contains("old value"), "{texts}");
}

#[tokio::test]
async fn a_key_to_remove_that_is_not_there_is_not_found() {
    let (fake, id) = app(&["A", "B"]).await;
    let client = client(&fake, SETTLE);
    let error = client.secret_groups().edit(&id).remove("NOPE").plan().await.unwrap_err();
    assert!(matches!(&error, Error::NotFound { id, .. } if &**id == "NOPE"), "{error:?}");
    assert!(!error.may_have_been_applied());
    let error = client.secret_groups().edit(&id).set("A", "x").remove("NOPE").apply().await;
    assert!(error.unwrap_err().is_not_found());
    let error = client.secret_groups().edit("no-such-group").set("A", "x").apply().await;
    assert!(error.unwrap_err().is_not_found());
    let error = client.secret_groups().edit_by_name("no-such-group").remove("A").apply().await;
    assert!(error.unwrap_err().is_not_found());
    assert_eq!(count(&fake, PUT) + count(&fake, DELETE), 0);
}

#[tokio::test]
async fn the_last_key_goes_only_where_that_is_allowed() {
    let (fake, id) = app(&["A", "B"]).await;
    let client = client(&fake, SETTLE);
    let groups = client.secret_groups();
    let both = || groups.edit(&id).remove("A").remove("B");
    for result in [both().plan().await.map(drop), both().apply().await.map(drop)] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::EmptyGroup { .. }), "{error:?}");
        assert_eq!(error.status(), None, "nothing was sent");
    }
    assert_eq!(fake.keys(APP), ["A", "B"]);
    let plan = both().allow_empty().plan().await.unwrap();
    assert_eq!(plan.to_string(), "app: - A  - B  = 0 kept");
    plan.apply().await.unwrap();
    assert!(fake.keys(APP).is_empty());
    groups.edit(&id).set("C", "first again").apply().await.unwrap();
    assert_eq!(fake.keys(APP), ["C"]);
}

#[tokio::test]
async fn removing_all_that_was_there_is_fine_where_something_new_comes_in() {
    let (fake, id) = app(&["A"]).await;
    let client = client(&fake, SETTLE);
    client.secret_groups().edit(&id).remove("A").set("B", "new").apply().await.unwrap();
    assert_eq!(fake.keys(APP), ["B"]);
}
