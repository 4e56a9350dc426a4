//! What is applied with `kubectl apply`.

use super::Shape;

pub(super) const SHAPES: [Shape; 7] = [
    Shape {
        what: "a Deployment",
        text: r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    spec:
      serviceAccountName: shop
      automountServiceAccountToken: false
      imagePullSecrets: [{name: registry}]
      containers:
        - name: shop
          image: acme/shop:1
          args: ["--port=80", "--token-file", "/run/token"]
          env:
            - name: LOG
              value: info
            - name: DB_PASSWORD   # comes out of the vault one day
              value: "made-up"
            - {name: API_TOKEN, value: 'made-up'}
            - name: CACHE_PASSWORD
              valueFrom:
                secretKeyRef: {name: cache, key: password}
            - {name: BOTH, value: $(API_TOKEN)}
          envFrom:
            - secretRef: {name: shop-secrets}
          livenessProbe:
            httpGet:
              path: /
              port: 80
              httpHeaders:
                - {name: Authorization, value: Basic bWFkZTp1cA==}
      volumes:
        - name: keys
          secret: {secretName: keys, items: [{key: tls.key, path: tls.key}]}
      tolerations: [{key: gpu, operator: Exists}]
"#,
        moved: &[
            ("value: \"made-up\"", "value: \"REF\"", "DB_PASSWORD"),
            ("{name: API_TOKEN, value: 'made-up'}", "{name: API_TOKEN, value: 'REF'}", "API_TOKEN"),
            (
                "value: Basic bWFkZTp1cA==",
                "value: REF",
                "SPEC_TEMPLATE_SPEC_CONTAINERS_0_LIVENESS_PROBE_HTTP_GET_HTTP_HEADERS_AUTHORIZATION",
            ),
        ],
    },
    Shape {
        what: "a Secret",
        text: "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\ntype: Opaque\nstringData:\n  user: made-up\n  templated: \"{{ .Values.x }}\"\n  empty: \"\"\n  \
               config.yaml: |\n    url: https://example.com\n    # kept\n    retries: 3\n\nimmutable: true\n",
        moved: &[
            ("user: made-up", "user: REF", "STRING_DATA_USER"),
            (
                "config.yaml: |\n    url: https://example.com\n    # kept\n    retries: 3\n\n",
                "config.yaml: REF\n\n",
                "STRING_DATA_CONFIG_YAML",
            ),
        ],
    },
    Shape {
        what: "a CronJob with the line ends of Windows",
        text: "\u{feff}apiVersion: batch/v1\r\nkind: CronJob\r\nmetadata:\r\n  name: backup\r\nspec:\r\n  schedule: \"0 \
               1 * * *\"\r\n  jobTemplate:\r\n    spec:\r\n      template:\r\n        spec:\r\n          containers:\r\n  \
               \x20       - name: backup\r\n            env:\r\n            - name: PGPASSWORD\r\n              value: \
               made-up # x\r\n            - name: KEY_PEM\r\n              value: |\r\n                made\r\n        \
               \x20       up\r\n          restartPolicy: Never\r\n",
        moved: &[
            ("value: made-up # x", "value: REF # x", "PGPASSWORD"),
            (
                "value: |\r\n                made\r\n                up\r\n",
                "value: REF\r\n",
                "KEY_PEM",
            ),
        ],
    },
    Shape {
        what: "several documents",
        text: "%YAML 1.2\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: shop}\ndata:\n  mode: live\n  \
               nginx.conf: |\n    server {\n      listen 80;\n    }\n...\n---\nkind: Service\nmetadata: {name: \
               shop}\nspec: {ports: [{port: 80, targetPort: http}]}\n---\n# last\nkind: Pod\nspec:\n  containers:\n  - \
               env:\n    - value: made-up\n      name: SECRET_KEY\n---\n",
        moved: &[("value: made-up", "value: REF", "SECRET_KEY")],
    },
    Shape {
        what: "a List in JSON",
        text: "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"all\"},\"items\":[\n\t{\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"},\"stringData\":{\"é\":\"made\\u0020up\",\"n\":\"\"}},\n\t{\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"env\":[{\"name\":\"A_TOKEN\",\"value\":\"made-\\\"up\\\"\"},{\"name\":\"B\",\"value\":\"\\ud83d\\ude00\"}]}]}}]}",
        moved: &[
            ("\"made\\u0020up\"", "\"REF\"", "ITEMS_0_STRING_DATA"),
            ("\"made-\\\"up\\\"\"", "\"REF\"", "A_TOKEN"),
        ],
    },
    Shape {
        what: "an ExternalSecret",
        text: "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: shop}\nspec:\n  secretStoreRef: \
               {name: vault, kind: ClusterSecretStore}\n  refreshInterval: 1h\n  target: {name: shop}\n  data:\n    - \
               secretKey: password\n      remoteRef: {key: secret/shop, property: password}\n",
        moved: &[],
    },
    Shape {
        what: "an Ingress with its certificate",
        text: "kind: Ingress\nmetadata:\n  name: shop\n  annotations:\n    nginx.ingress.kubernetes.io/auth-type: \
               basic\n    nginx.ingress.kubernetes.io/auth-secret-type: auth-file\nspec:\n  tls: [{hosts: \
               [shop.example.com], secretName: shop-tls}]\n---\nkind: Certificate\nspec:\n  secretName: shop-tls\n  \
               privateKey: {algorithm: ECDSA, size: 256}\n  issuerRef: {name: ca}\n",
        moved: &[],
    },
];
