//! A person's approval of every change, by what the client's protocol offers.

mod state;

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::handler::server::common::FromContextPart;
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::model::{
    BooleanSchema, CallToolResponse, ElicitRequest, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
    InputResponses, PrimitiveSchemaDefinition, ProtocolVersion,
};
use rmcp::service::{RequestContext, RoleServer, ServiceError};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::change::{Change, Plan};
use crate::failure::Failure;
use crate::output::Answer;
use crate::server::Server;
pub(crate) use state::Approvals;
use state::{Asked, Refused, hex};

/// The name of the question, and of the field that a person ticks.
const QUESTION: &str = "approval";
const FIELD: &str = "approve";
/// How many times one call asks if the group changes while a person reads.
const MAX_QUESTIONS: u32 = 3;

/// One call of a tool: what an approval is bound to, and the way back to the client.
pub(crate) struct Call {
    tool: String,
    arguments: String,
    state: Option<String>,
    responses: InputResponses,
    context: RequestContext<RoleServer>,
}

impl FromContextPart<ToolCallContext<'_, Server>> for Call {
    fn from_context_part(call: &mut ToolCallContext<'_, Server>) -> Result<Self, ErrorData> {
        let arguments = call.arguments.clone().unwrap_or_default();
        Ok(Self {
            tool: call.name.to_string(),
            arguments: hash(&Value::Object(arguments).to_string()),
            state: call.request_state.take(),
            responses: call.input_responses.take().unwrap_or_default(),
            context: call.request_context().clone(),
        })
    }
}

impl Call {
    /// What the approval of this plan is bound to.
    fn asked(&self, server: &Server, plan: &Plan) -> Asked {
        Asked {
            tool: self.tool.clone(),
            arguments: self.arguments.clone(),
            group: plan.group_id.clone(),
            markers: hash(&plan.markers),
            plan: hash(&server.question(plan)),
        }
    }

    fn can_be_asked(&self) -> bool {
        let capabilities = self.context.client_capabilities();
        let elicitation = capabilities.and_then(|capabilities| capabilities.elicitation);
        // A client that names no mode supports forms.
        elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
    }

    fn has_input_required(&self) -> bool {
        self.context
            .protocol_version()
            .is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
    }
}

impl Server {
    /// Applies the change if a person approves it as it is planned.
    ///
    /// A plan is dropped before the question and made again after it, so that no value is held
    /// while a person thinks, and the write uses what the environment and the group hold at that
    /// time.
    pub(crate) async fn carry_out(
        &self,
        call: Call,
        change: Change,
    ) -> Result<CallToolResponse, Failure> {
        let plan = change.plan(self).await?;
        if self.yes || plan.is_empty() {
            return self.apply(plan).await;
        }
        let has_input_required = call.has_input_required();
        if !call.can_be_asked() {
            return Err(Failure::cannot_ask(has_input_required));
        }
        if has_input_required {
            self.approved_before(&call, plan).await
        } else {
            self.approved_now(&call, &change, plan).await
        }
    }

    async fn apply(&self, plan: Plan) -> Result<CallToolResponse, Failure> {
        Ok(Answer::from(plan.apply(&self.client).await?).into_response())
    }

    /// From 2026-07-28: the question is a result, and the answer comes with a second call.
    async fn approved_before(&self, call: &Call, plan: Plan) -> Result<CallToolResponse, Failure> {
        let asked = call.asked(self, &plan);
        let mut reason = None;
        if let Some(state) = &call.state {
            let redeemed = self.approvals.redeem(state, &asked);
            let answer = call.responses.get(QUESTION).cloned();
            let answer = answer.and_then(|answer| serde_json::from_value(answer).ok());
            match (answer, redeemed) {
                (Some(answer), _) if !approves(&answer) => return Err(Failure::declined()),
                (Some(_), Ok(())) => return self.apply(plan).await,
                (_, Err(refused)) => reason = Some(refused),
                (None, Ok(())) => {}
            }
        }
        let question = InputRequest::Elicitation(ElicitRequest::new(self.form(&plan, reason)));
        let questions = InputRequests::from([(QUESTION.to_owned(), question)]);
        let state = self.approvals.seal(asked)?;
        Ok(InputRequiredResult::new(Some(questions), Some(state)).into())
    }

    /// Up to 2025-11-25: the question is a request of its own, within the call.
    async fn approved_now(
        &self,
        call: &Call,
        change: &Change,
        mut plan: Plan,
    ) -> Result<CallToolResponse, Failure> {
        let mut reason = None;
        for _ in 0..MAX_QUESTIONS {
            let asked = call.asked(self, &plan);
            let form = self.form(&plan, reason);
            drop(plan);
            if !approves(&self.answer(call, form).await?) {
                return Err(Failure::declined());
            }
            plan = change.plan(self).await?;
            if plan.is_empty() || call.asked(self, &plan) == asked {
                return self.apply(plan).await;
            }
            reason = Some(Refused::Changed);
        }
        Err(Failure::no_answer("the group changed each time while the question was open"))
    }

    async fn answer(
        &self,
        call: &Call,
        form: ElicitRequestParams,
    ) -> Result<ElicitResult, Failure> {
        let timeout = self.approvals.timeout();
        let asking = call.context.peer.create_elicitation_with_timeout(form, Some(timeout));
        tokio::select! {
            // rmcp drops the response of a call that the client cancels, but the call continues.
            biased;
            () = call.context.ct.cancelled() => Err(Failure::no_answer("the call was cancelled")),
            answer = asking => answer.map_err(|error| match error {
                ServiceError::Timeout { .. } => Failure::no_answer(&no_answer_within(timeout)),
                _ => Failure::no_answer("the client did not put the question to the user"),
            }),
        }
    }

    fn form(&self, plan: &Plan, reason: Option<Refused>) -> ElicitRequestParams {
        let again = reason.map(|reason| format!("{reason}\n")).unwrap_or_default();
        let field = BooleanSchema::new().title("Approve this change");
        let schema = ElicitationSchema::builder()
            .required_property(FIELD, PrimitiveSchemaDefinition::Boolean(field))
            .build_unchecked();
        ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: format!("{again}{}", self.question(plan)),
            requested_schema: schema,
        }
    }
}

/// A form can be submitted with its field left empty.
fn approves(answer: &ElicitResult) -> bool {
    let field = answer.content.as_ref().and_then(|content| content.get(FIELD));
    answer.action == ElicitationAction::Accept && field == Some(&Value::Bool(true))
}

fn no_answer_within(timeout: Duration) -> String {
    format!("the user did not answer within {} s", timeout.as_secs())
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_ticked_field_of_an_accepted_form_approves() {
        let answer = |text| serde_json::from_value::<ElicitResult>(text).unwrap();
        assert!(approves(&answer(json!({ "action": "accept", "content": { "approve": true } }))));
        let others = [
            json!({ "action": "accept" }),
            json!({ "action": "accept", "content": {} }),
            json!({ "action": "accept", "content": { "approve": false } }),
            json!({ "action": "accept", "content": { "approve": "true" } }),
            json!({ "action": "decline", "content": { "approve": true } }),
            json!({ "action": "cancel" }),
        ];
        for other in others {
            assert!(!approves(&answer(other.clone())), "{other}");
        }
    }
}
