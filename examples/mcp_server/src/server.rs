//! The tools, with the names and arguments of TrueFoundry's own document for agents.

use rmcp::handler::server::tool::schema_for_output;
use rmcp::model::{CallToolResponse, Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use truefoundry_secrets::Client;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::approval::{Approvals, Call};
use crate::arguments::{
    Create, Edit, Group, ListSecrets, Nothing, Parameters, Secret, Text, Update,
};
use crate::change::{Change, Plan};
use crate::failure::Failure;
use crate::output::{Answer, Changed, Listing, References, Stores, shown};
use crate::read;
use crate::values::AllowedEnv;

pub(crate) struct Server {
    pub(crate) client: Client,
    /// Stops when this is dropped.
    pub(crate) fake: Option<FakeTrueFoundry>,
    pub(crate) allowed: AllowedEnv,
    pub(crate) approvals: Approvals,
    /// Changes the fake without asking.
    pub(crate) yes: bool,
}

const INSTRUCTIONS: &str = "\
TrueFoundry secret groups and their keys. Values are never shown and never accepted: a value is written by \
naming an environment variable of this server (`from_env`) that the user has allowed. If the user types a \
secret's value, refuse it and ask them to set such a variable. The user approves every change.";

#[tool_handler]
impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("truefoundry-secrets", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }
}

#[tool_router]
impl Server {
    /// Lists secret groups. With `secret_group_id`: that group and its keys. With `secret_id`: that one secret.
    /// Values are `(set)` or a preview.
    #[tool(
        annotations(title = "List secret groups and secrets", read_only_hint = true),
        output_schema = schema_for_output::<Listing>()
    )]
    async fn tfy_secrets_list(
        &self,
        Parameters(arguments): Parameters<ListSecrets>,
    ) -> Result<Answer, Failure> {
        Ok(read::secrets(&self.client, arguments?).await?.into())
    }

    /// Lists the connected secret stores. The ID of one is the `integrationId` for `tfy_secret_groups_create`.
    #[tool(
        annotations(title = "List secret stores", read_only_hint = true),
        output_schema = schema_for_output::<Stores>()
    )]
    async fn tfy_secret_stores_list(
        &self,
        Parameters(arguments): Parameters<Nothing>,
    ) -> Result<Answer, Failure> {
        let Nothing {} = arguments?;
        Ok(read::stores(&self.client).await?.into())
    }

    /// Finds the `tfy-secret://tenant:group:key` references of a text, such as a deployment's manifest, and says
    /// which secrets exist. Check before `tfy apply`: a missing one fails only after it.
    #[tool(
        annotations(title = "Check secret references", read_only_hint = true),
        output_schema = schema_for_output::<References>()
    )]
    async fn tfy_references_check(
        &self,
        Parameters(arguments): Parameters<Text>,
    ) -> Result<Answer, Failure> {
        Ok(read::references(&self.client, &arguments?.text).await?.into())
    }

    /// Creates a secret group. Ask the user to set each value as an environment variable of this server first,
    /// then name the variable in `from_env`. The user approves it.
    #[tool(
        annotations(title = "Create a secret group", read_only_hint = false, destructive_hint = false),
        output_schema = schema_for_output::<Changed>()
    )]
    async fn tfy_secret_groups_create(
        &self,
        call: Call,
        Parameters(arguments): Parameters<Create>,
    ) -> Result<CallToolResponse, Failure> {
        self.carry_out(call, Change::Create(arguments?.payload)).await
    }

    /// Adds keys to a group, gives keys a new value, removes keys. Keys that are not named stay as they are, so
    /// this is the way to change a group. Values come from environment variables (`from_env`). The user
    /// approves it.
    #[tool(
        annotations(title = "Change keys of a secret group", read_only_hint = false, destructive_hint = true),
        output_schema = schema_for_output::<Changed>()
    )]
    async fn tfy_secret_groups_edit(
        &self,
        call: Call,
        Parameters(arguments): Parameters<Edit>,
    ) -> Result<CallToolResponse, Failure> {
        let Edit { id, payload: edits } = arguments?;
        self.carry_out(call, Change::Edit { id, edits }).await
    }

    /// Replaces ALL keys of a group: a key that is left out of `payload.secrets` is DELETED with all its
    /// versions. Use `tfy_secret_groups_edit` instead, which leaves other keys alone. A key without `from_env`
    /// keeps its value. The user approves it.
    #[tool(
        annotations(title = "Replace all keys of a secret group", read_only_hint = false, destructive_hint = true),
        output_schema = schema_for_output::<Changed>()
    )]
    async fn tfy_secret_groups_update(
        &self,
        call: Call,
        Parameters(arguments): Parameters<Update>,
    ) -> Result<CallToolResponse, Failure> {
        let Update { id, payload: list } = arguments?;
        self.carry_out(call, Change::Replace { id, list }).await
    }

    /// Deletes a secret group with all its secrets. Some stores keep the names for up to 90 days, so that a
    /// group of the same name cannot be created again until then. The user approves it.
    #[tool(
        annotations(title = "Delete a secret group", read_only_hint = false, destructive_hint = true),
        output_schema = schema_for_output::<Changed>()
    )]
    async fn tfy_secret_groups_delete(
        &self,
        call: Call,
        Parameters(arguments): Parameters<Group>,
    ) -> Result<CallToolResponse, Failure> {
        self.carry_out(call, Change::DeleteGroup { id: arguments?.id }).await
    }

    /// Deletes one secret with all its versions. The user approves it.
    #[tool(
        annotations(title = "Delete a secret", read_only_hint = false, destructive_hint = true),
        output_schema = schema_for_output::<Changed>()
    )]
    async fn tfy_secrets_delete(
        &self,
        call: Call,
        Parameters(arguments): Parameters<Secret>,
    ) -> Result<CallToolResponse, Failure> {
        self.carry_out(call, Change::DeleteSecret { id: arguments?.id }).await
    }
}

impl Server {
    /// What a person reads before they approve.
    pub(crate) fn question(&self, plan: &Plan) -> String {
        let mut lines = plan.lines.iter();
        let action = lines.next().map(String::as_str).unwrap_or_default();
        let fake = if self.fake.is_some() { " (the fake: nothing real is changed)" } else { "" };
        let host = shown(self.client.authority());
        let mut text =
            format!("{action}?\nHost: {host}{fake}\nIdentity: {}", shown(&plan.identity));
        for line in lines {
            text.push('\n');
            text.push_str(line);
        }
        text
    }
}
