//! What other tools read.

use super::Shape;

pub(super) const SHAPES: [Shape; 8] = [
    Shape {
        what: "Compose with maps",
        text: "x-common: &common\n  restart: always\n  environment: &env\n    DB_PASSWORD: made-up\n    DB_HOST: db\nservices:\n  \
               db:\n    <<: *common\n    image: postgres:17\n    environment:\n      <<: *env\n      POSTGRES_PASSWORD: \
               ${DB_PASSWORD:?missing}\n      POSTGRES_INITDB_ARGS: --data-checksums\n      POSTGRES_PASSWORD_FILE: \
               /run/secrets/db\n    healthcheck: {test: [\"CMD\", \"pg_isready\"]}\n    secrets: [db]\nsecrets:\n  \
               db: {file: ./db.txt}\n",
        moved: &[("DB_PASSWORD: made-up", "DB_PASSWORD: REF", "DB_PASSWORD")],
    },
    Shape {
        what: "Compose with lists",
        text: "services:\n    web:\n        image: shop\n        command: [\"run\", \"--api-token\", \"made-up\", \
               \"--port\", \"80\"]\n        environment:\n        - MODE=live\n        - API_KEY=made-up=\n        - \
               'WEB_TOKEN=made up'\n        - DB_PASSWORD\n        - HOST_TOKEN=${HOST_TOKEN}\n",
        moved: &[
            ("\"--api-token\", \"made-up\"", "\"--api-token\", \"REF\"", "SERVICES_WEB_COMMAND_2"),
            ("API_KEY=made-up=", "API_KEY=REF", "API_KEY"),
            ("'WEB_TOKEN=made up'", "'WEB_TOKEN=REF'", "WEB_TOKEN"),
        ],
    },
    Shape {
        what: "MCP servers of a desktop client",
        text: "{\n\t\"mcpServers\": {\n\t\t\"github\": {\n\t\t\t\"command\": \"npx\",\n\t\t\t\"args\": [\"-y\", \
               \"@example/server\"],\n\t\t\t\"env\": { \"GITHUB_TOKEN\": \"ghp_madeupmadeupmadeupmadeup\", \"TOOLS\": \
               \"all\" }\n\t\t},\n\t\t\"tickets\": {\n\t\t\t\"type\": \"http\",\n\t\t\t\"url\": \
               \"https://tickets.example.com/mcp\",\n\t\t\t\"headers\": {\"Authorization\": \"Bearer \
               made-up-token\"}\n\t\t}\n\t}\n}",
        moved: &[
            ("\"ghp_madeupmadeupmadeupmadeup\"", "\"REF\"", "GITHUB_TOKEN"),
            ("\"Bearer made-up-token\"", "\"REF\"", "MCP_SERVERS_TICKETS_HEADERS_AUTHORIZATION"),
        ],
    },
    Shape {
        what: "MCP servers of an editor",
        text: "{\"servers\":{\"a\":{\"type\":\"sse\",\"url\":\"https://h/sse?api_key=made-up&x=1\",\"headers\":{\"X\":\"${input:x}\"}},\"b\":{\"command\":\"b\",\"env\":{\"B_SECRET\":\"${env:B}\"}}},\"inputs\":[{\"type\":\"promptString\",\"id\":\"x\",\"password\":true}]}\r\n",
        moved: &[("\"https://h/sse?api_key=made-up&x=1\"", "\"REF\"", "SERVERS_A_URL")],
    },
    Shape {
        what: "a task of ECS",
        text: "{\n  \"family\": \"shop\",\n  \"containerDefinitions\": [{\n    \"name\": \"shop\",\n    \"environment\": \
               [\n      {\"name\": \"DB_PASSWORD\", \"value\": \"made-up\"},\n      {\"name\": \"MODE\", \"value\": \
               \"live\"}],\n    \"secrets\": [{\"name\": \"API_KEY\", \"valueFrom\": \
               \"arn:aws:ssm:eu-west-1:1:parameter/k\"}],\n    \"repositoryCredentials\": {\"credentialsParameter\": \
               \"arn:aws:secretsmanager:eu-west-1:1:secret:r\"}\n  }]\n}\n",
        moved: &[("\"value\": \"made-up\"", "\"value\": \"REF\"", "DB_PASSWORD")],
    },
    Shape {
        what: "Docker's configuration",
        text: "{\"auths\": {\"registry.example.com\": {\"auth\": \"bWFkZTp1cA==\"}}, \"credsStore\": \"desktop\"}",
        moved: &[("\"bWFkZTp1cA==\"", "\"REF\"", "AUTHS_REGISTRY_EXAMPLE_COM_AUTH")],
    },
    Shape {
        what: "a workflow of GitHub Actions",
        text: "on: {push: {branches: [main]}}\nenv:\n  CARGO_TERM_COLOR: always\njobs:\n  deploy:\n    runs-on: \
               ubuntu-latest\n    permissions: {id-token: write}\n    steps:\n      - uses: actions/checkout@v4\n      - \
               run: ./deploy --token \"$TOKEN\"\n        env:\n          TOKEN: ${{ secrets.DEPLOY_TOKEN }}\n          \
               NPM_TOKEN: npm_madeupmadeupmadeupmadeupmadeup\n",
        moved: &[("npm_madeupmadeupmadeupmadeupmadeup", "REF", "NPM_TOKEN")],
    },
    Shape {
        what: "models of a proxy",
        text: "model_list:\n  - model_name: small\n    litellm_params:\n      model: openai/small\n      api_key: \
               sk-madeupmadeupmadeupmadeup\n      max_tokens: 512\n  - model_name: large\n    litellm_params: {model: \
               azure/large, api_key: os.environ/AZURE_KEY, eos_token: </s>}\ngeneral_settings:\n  master_key: \
               \"\"\n",
        moved: &[("sk-madeupmadeupmadeupmadeup", "REF", "MODEL_LIST_0_LITELLM_PARAMS_API_KEY")],
    },
];
