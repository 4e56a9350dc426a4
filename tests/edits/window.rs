//! Another process changes the group: when that is noticed, and when it is not.

use std::time::Duration;

use truefoundry_secrets::testing::{FakeTrueFoundry, Fault, Gate};
use truefoundry_secrets::{EditPlan, Error};

use crate::common::*;

const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

async fn planned() -> (FakeTrueFoundry, EditPlan) {
    let (fake, id) = app(&["A", "B"]).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let plan = client.secret_groups().edit(&id).set("A", "new").plan().await.unwrap();
    fake.clear_requests();
    (fake, plan)
}

#[tokio::test]
async fn a_change_between_plan_and_apply_is_reported_and_nothing_is_written() {
    let (fake, plan) = planned().await;
    fake.set_value(APP, "THEIRS", "x");
    let (added, removed, modified, applied) = concurrent(plan.apply().await);
    assert_eq!((added, applied), (vec!["THEIRS".to_owned()], false));
    assert!(removed.is_empty() && modified.is_empty());
    assert_eq!(sent(&fake), [GET, LIST]);

    let (fake, plan) = planned().await;
    fake.remove_key(APP, "B");
    let (_, removed, ..) = concurrent(plan.apply().await);
    assert_eq!(removed, ["B"]);

    let (fake, plan) = planned().await;
    fake.set_value(APP, "B", "their value");
    let (.., modified, _) = concurrent(plan.apply().await);
    assert_eq!(modified, ["B"]);

    let (fake, plan) = planned().await;
    fake.remove_key(APP, "B");
    fake.set_value(APP, "B", "back again");
    let error = plan.apply().await.unwrap_err();
    assert!(error.is_retryable() && !error.may_have_been_applied());
    assert_eq!(concurrent::<()>(Err(error)).2, ["B"], "the same name, but another secret");
    assert_eq!(count(&fake, PUT), 0);
}

#[tokio::test]
async fn a_group_that_changed_in_another_way_is_a_concurrent_edit_too() {
    let (fake, plan) = planned().await;
    // The same value again: no key changes, but the group's time does.
    fake.set_value(APP, "B", "old value of B");
    let (added, removed, modified, applied) = concurrent(plan.apply().await);
    assert!(added.is_empty() && removed.is_empty() && modified.is_empty() && !applied);
    assert_eq!(count(&fake, PUT), 0);
}

#[tokio::test]
async fn a_removal_plan_is_checked_the_same_way() {
    let (fake, id) = app(&["A", "B"]).await;
    let client = client(&fake, WRITE_TIMEOUT);
    let plan = client.secret_groups().edit(&id).remove("A").plan().await.unwrap();
    fake.set_value(APP, "A", "rotated since");
    assert_eq!(concurrent(plan.apply().await).2, ["A"]);
    assert_eq!(fake.keys(APP), ["A", "B"]);
}

/// A moment of an application.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    BeforeApply,
    /// While it reads again: whether each of the two reads is done.
    Reading {
        group: bool,
        list: bool,
    },
    BeforeWrite,
    AfterWrite,
    AfterApply,
}

impl Moment {
    /// The gates that hold the moment.
    fn gates(self, fake: &FakeTrueFoundry) -> Vec<Gate> {
        let read = |done, operation| {
            if done { fake.hold_response(operation) } else { fake.hold(operation) }
        };
        match self {
            Self::Reading { group, list } => vec![read(group, GET), read(list, LIST)],
            Self::BeforeWrite => vec![fake.hold(PUT)],
            Self::AfterWrite => vec![fake.hold_response(PUT)],
            Self::BeforeApply | Self::AfterApply => vec![],
        }
    }
}

/// Applies a plan, and adds a key at this moment as another process would. Returns whether the key
/// exists afterwards.
async fn add_at(moment: Moment) -> (bool, Result<(), Error>) {
    let (fake, plan) = planned().await;
    let theirs = || fake.set_value(APP, "THEIRS", "x");
    if moment == Moment::BeforeApply {
        theirs();
    }
    let gates = moment.gates(&fake);
    let applying = tokio::spawn(plan.apply());
    for gate in &gates {
        gate.reached().await;
    }
    if !gates.is_empty() {
        theirs();
    }
    drop(gates);
    let result = applying.await.unwrap();
    if moment == Moment::AfterApply {
        theirs();
    }
    (fake.value(APP, "THEIRS").as_deref() == Some("x"), result.map(drop))
}

#[tokio::test]
async fn only_between_the_last_read_and_the_write_can_a_key_be_lost_unseen() {
    let reported = [
        Moment::BeforeApply,
        Moment::Reading { group: false, list: false },
        Moment::Reading { group: true, list: false },
        Moment::Reading { group: false, list: true },
    ];
    for moment in reported {
        let (kept, result) = add_at(moment).await;
        let (added, .., applied) = concurrent(result);
        assert!(kept && !applied, "{moment:?}");
        if !matches!(moment, Moment::Reading { list: true, group: false }) {
            assert_eq!(added, ["THEIRS"], "{moment:?}");
        }
    }
    for moment in [Moment::AfterWrite, Moment::AfterApply] {
        let (kept, result) = add_at(moment).await;
        assert!(kept && result.is_ok(), "{moment:?}: {result:?}");
    }
    // The window: the API has no compare-and-set. The documentation of `Edit` describes it.
    for moment in [Moment::Reading { group: true, list: true }, Moment::BeforeWrite] {
        let (kept, result) = add_at(moment).await;
        assert!(!kept && result.is_ok(), "{moment:?}: {result:?}");
    }
}

#[tokio::test]
async fn a_direct_apply_plans_anew_where_the_write_finds_other_keys() {
    let (fake, id) = app(&["A", "B", "C"]).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let gate = fake.hold(PUT);
    let edit = client.secret_groups().edit(&id).set("A", "new");
    let applying = tokio::spawn(edit.apply());
    gate.reached().await;
    fake.remove_key(APP, "B");
    gate.release();
    let done = applying.await.unwrap().unwrap();
    assert_eq!(done.kept(), ["C"]);
    assert_eq!(sent(&fake), [GET, LIST, PUT, GET, LIST, GET, LIST, PUT]);
    assert_eq!(fake.version(APP, "A"), Some(2));
}

#[tokio::test]
async fn it_plans_three_times_at_most() {
    let keys: Vec<String> = (0..9).map(|index| format!("K{index}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (fake, id) = app(&keys).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let mut left = keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    fake.on_request(PUT, move |fake, _| assert!(fake.remove_key(APP, &left.pop().unwrap())));
    let (_, removed, _, applied) =
        concurrent(client.secret_groups().edit(&id).set("A", "new").apply().await);
    assert_eq!((removed, applied), (vec!["K6".to_owned()], false));
    assert_eq!(count(&fake, PUT), 3);
    assert_eq!(fake.value(APP, "A"), None);
}

#[tokio::test]
async fn a_plan_whose_write_finds_other_keys_reports_them() {
    let (fake, plan) = planned().await;
    fake.on_request(PUT, |fake, _| assert!(fake.remove_key(APP, "B")));
    let (_, removed, _, applied) = concurrent(plan.apply().await);
    assert_eq!((removed, applied), (vec!["B".to_owned()], false));
    assert_eq!(fake.version(APP, "A"), Some(1));
}

#[tokio::test]
async fn every_refusal_of_the_write_is_looked_into_and_told_as_it_is_where_the_keys_are_the_same() {
    for status in [400, 404, 422] {
        let (fake, plan) = planned().await;
        fake.inject(Fault::status(status).message("it is what it is").on(PUT));
        let error = plan.apply().await.unwrap_err();
        assert_eq!(error.status(), Some(status), "{error:?}");
        assert_eq!(sent(&fake), [GET, LIST, PUT, GET, LIST]);

        let (fake, plan) = planned().await;
        fake.inject(Fault::status(status).message("it is what it is").on(PUT));
        fake.on_request(PUT, |fake, _| fake.set_value(APP, "THEIRS", "x"));
        assert_eq!(concurrent(plan.apply().await).0, ["THEIRS"], "{status}");
    }
    for status in [401, 403, 409, 429] {
        let (fake, plan) = planned().await;
        fake.inject(Fault::status(status).on(PUT));
        let error = plan.apply().await.unwrap_err();
        assert_eq!(error.status(), Some(status), "{error:?}");
        assert!(!error.may_have_been_applied());
        assert_eq!(sent(&fake), [GET, LIST, PUT]);
    }
}

#[tokio::test]
async fn a_group_that_is_deleted_under_the_write_is_not_found() {
    let (fake, plan) = planned().await;
    fake.on_request(PUT, |fake, _| assert!(fake.remove_group(APP)));
    let error = plan.apply().await.unwrap_err();
    assert!(error.is_not_found() && !error.may_have_been_applied(), "{error:?}");
}

#[tokio::test]
async fn a_response_that_lacks_a_key_is_looked_into() {
    let mut response = serde_json::json!({
        "data": { "id": "g", "fqn": "my-tenant:app", "associatedSecrets": [{ "id": "s", "name": "A" }] }
    });
    let (fake, plan) = planned().await;
    let id = fake.group_id(APP).unwrap();
    response["data"]["id"] = id.into();
    fake.inject(Fault::status(200).after_work().json(response.clone()).on(PUT));
    plan.apply().await.expect("the keys are there");
    assert_eq!(sent(&fake), [GET, LIST, PUT, GET, LIST]);

    let (fake, plan) = planned().await;
    response["data"]["id"] = fake.group_id(APP).unwrap().into();
    // The server claims success and does nothing but drop a key.
    fake.inject(Fault::status(200).json(response).on(PUT));
    fake.on_request(PUT, |fake, _| assert!(fake.remove_key(APP, "B")));
    let error = plan.apply().await.unwrap_err();
    assert!(error.may_have_been_applied());
    let (_, removed, _, applied) = concurrent::<()>(Err(error));
    assert_eq!((removed, applied), (vec!["B".to_owned()], true));
}

#[tokio::test]
async fn a_write_with_a_response_stays_done_where_it_cannot_be_looked_at_again() {
    let (fake, plan) = planned().await;
    let response = serde_json::json!({ "data": { "id": fake.group_id(APP).unwrap(), "fqn": "my-tenant:app" } });
    fake.inject(Fault::status(200).after_work().json(response).on(PUT));
    fake.on_request(PUT, |fake, _| fake.inject(Fault::status(403).forever().on(LIST)));
    let error = plan.apply().await.unwrap_err();
    assert!(error.may_have_been_applied(), "it was: {error:?}");
    assert_eq!(fake.version(APP, "A"), Some(2));
}

#[tokio::test]
async fn a_key_that_was_to_go_and_stayed_is_no_success() {
    let (fake, id) = app(&["A", "LEAKED"]).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let as_it_was = serde_json::json!({ "data": { "id": id, "fqn": "my-tenant:app" } });
    fake.inject(Fault::status(200).json(as_it_was).on(PUT));
    let edit = client.secret_groups().edit(&id).set("A", "new").remove("LEAKED");
    let (added, removed, _, applied) = concurrent(edit.apply().await);
    assert_eq!((added, applied), (vec!["LEAKED".to_owned()], true));
    assert!(removed.is_empty());

    // If another process adds a key of that name after the write, it is another secret.
    let gate = fake.hold_response(PUT);
    let edit = client.secret_groups().edit(&id).set("A", "newer").remove("LEAKED");
    let applying = tokio::spawn(edit.apply());
    gate.reached().await;
    fake.set_value(APP, "LEAKED", "theirs");
    drop(gate);
    applying.await.unwrap().unwrap();
}

/// Another client removes a key before the write and adds it again before the read that asks why it was refused.
#[tokio::test]
async fn a_key_that_was_removed_and_added_again_under_the_write_is_a_change() {
    let (fake, plan) = planned().await;
    fake.on_request(PUT, |fake, _| {
        assert!(fake.remove_key(APP, "B"));
        fake.on_request(GET, |fake, _| fake.set_value(APP, "B", "back again"));
    });
    let (.., modified, applied) = concurrent(plan.apply().await);
    assert_eq!((modified, applied), (vec!["B".to_owned()], false));
}
