{{- /* The whole configuration of the operator: settings.py reads exactly these variables. */}}
{{- define "grpc-operator.env" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: GRPC_OPERATOR_WATCH_NAMESPACES
  value: {{ join "," .Values.watch.namespaces | quote }}
- name: GRPC_OPERATOR_WATCH_LABEL_SELECTOR
  value: {{ .Values.watch.labelSelector | quote }}
- name: GRPC_OPERATOR_SERVICE_PODS_MAY
  value: {{ join "," .Values.podPolicy.services.allow | quote }}
- name: GRPC_OPERATOR_GATEWAY_PODS_MAY
  value: {{ join "," .Values.podPolicy.gateways.allow | quote }}
- name: GRPC_OPERATOR_CLUSTER_DOMAIN
  value: {{ .Values.clusterDomain | quote }}
- name: GRPC_OPERATOR_LOG_LEVEL
  value: {{ .Values.logging.level }}
- name: GRPC_OPERATOR_LOG_FORMAT
  value: {{ .Values.logging.format }}
- name: GRPC_OPERATOR_HTTP_PORT
  value: {{ .Values.metrics.port | quote }}
- name: GRPC_OPERATOR_LEASE_NAME
  value: {{ include "grpc-operator.fullname" . }}
- name: GRPC_OPERATOR_LEASE_DURATION_SECONDS
  value: {{ .Values.leaderElection.leaseDurationSeconds | quote }}
- name: GRPC_OPERATOR_WORKERS
  value: {{ .Values.reconcile.workers | quote }}
- name: GRPC_OPERATOR_XDS_PORT
  value: {{ .Values.xds.port | quote }}
- name: GRPC_OPERATOR_XDS_ADDRESS
  value: {{ include "grpc-operator.suffixedName" (list . "xds") }}.{{ include "grpc-operator.namespace" . }}.svc.{{ .Values.clusterDomain }}:{{ .Values.xds.port }}
- name: GRPC_OPERATOR_XDS_SECRET
  value: {{ include "grpc-operator.suffixedName" (list . "xds") }}
- name: GRPC_OPERATOR_XDS_CERTIFICATE_FOLDER
  value: {{ ternary "/etc/grpc-operator/xds" "" (ne .Values.xds.certificateSecretName "") | quote }}
- name: GRPC_OPERATOR_REPLICA_TOKEN_FOLDER
  value: /var/run/secrets/grpc.infera.dev
- name: GRPC_OPERATOR_PEERS_HOST
  value: {{ include "grpc-operator.suffixedName" (list . "peers") }}.{{ include "grpc-operator.namespace" . }}.svc.{{ .Values.clusterDomain }}
- name: GRPC_OPERATOR_ENVOY_IMAGE
  value: {{ include "grpc-operator.fromRegistry" (list . .Values.gateway.image) | quote }}
- name: GRPC_OPERATOR_ENVOY_IMAGE_PULL_POLICY
  value: {{ .Values.gateway.imagePullPolicy | quote }}
- name: GRPC_OPERATOR_OBJECT_METRICS
  value: {{ ternary "Enabled" "Disabled" (eq (include "grpc-operator.objectMetrics" .) "true") }}
- name: GRPC_OPERATOR_RESYNC_SECONDS
  value: {{ int64 .Values.reconcile.resyncSeconds | quote }}
{{- end }}

{{- /* The variables above and extraEnv. Server-side apply rejects a name in both, with an
error that does not say why. */}}
{{- define "grpc-operator.allEnv" -}}
{{- $ours := include "grpc-operator.env" . | fromYamlArray }}
{{- $names := list }}
{{- range $ours }}
{{- $names = append $names .name }}
{{- end }}
{{- $seen := list }}
{{- range .Values.extraEnv }}
{{- if has .name $names }}
{{- fail (printf "extraEnv: %s is set by the chart; use the value for it, see docs/helm-values.md" .name) }}
{{- end }}
{{- if hasPrefix "GRPC_OPERATOR_" .name }}
{{- fail (printf "extraEnv: the operator has no setting %s; see docs/settings.md" .name) }}
{{- end }}
{{- if has .name $seen }}
{{- fail (printf "extraEnv: %s is given more than once; remove one" .name) }}
{{- end }}
{{- $seen = append $seen .name }}
{{- end }}
{{- include "grpc-operator.env" . }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
