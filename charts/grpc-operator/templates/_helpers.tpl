{{- /* Names, labels and the image; everything else is in the template of its object. */}}

{{- define "grpc-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "grpc-operator.fullname" -}}
{{- $name := include "grpc-operator.name" . }}
{{- $full := .Release.Name | replace "." "-" }}
{{- if not (contains $name $full) }}
{{- $full = printf "%s-%s" $full $name }}
{{- end }}
{{- $full = .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" }}
{{- if not (regexMatch "^[a-z]" $full) }}
{{- fail (printf "fullnameOverride: set one: %q must begin with a letter to be the name of a Service" $full) }}
{{- end }}
{{- $full }}
{{- end }}

{{- /* Takes (list $ "suffix"); the result has at most 63 characters. */}}
{{- define "grpc-operator.suffixedName" -}}
{{- $suffix := last . }}
{{- $full := include "grpc-operator.fullname" (first .) | trunc (int (sub 62 (len $suffix))) | trimSuffix "-" }}
{{- printf "%s-%s" $full $suffix }}
{{- end }}

{{- define "grpc-operator.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- /* Not empty when the release has a GrpcGateway: it must be in a watched namespace. */}}
{{- define "grpc-operator.hasGateway" -}}
{{- $watched := or (not .Values.watch.namespaces) (has (include "grpc-operator.namespace" .) .Values.watch.namespaces) }}
{{- if and .Values.gateway.enabled $watched }}true{{ end }}
{{- end }}

{{- /* Selects the operator's pods but not the pod of helm test. Immutable in the Deployment. */}}
{{- define "grpc-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "grpc-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- /* The labels of the chart take precedence over commonLabels. */}}
{{- define "grpc-operator.labels" -}}
{{- $ours := include "grpc-operator.selectorLabels" . | fromYaml }}
{{- $_ := set $ours "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $ours "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- merge $ours .Values.commonLabels | toYaml }}
{{- end }}

{{- define "grpc-operator.testLabels" -}}
{{- set (include "grpc-operator.labels" . | fromYaml) "app.kubernetes.io/component" "test" | toYaml }}
{{- end }}

{{- /* For the Service that monitors must not select. */}}
{{- define "grpc-operator.xdsLabels" -}}
{{- set (include "grpc-operator.labels" . | fromYaml) "app.kubernetes.io/component" "xds" | toYaml }}
{{- end }}

{{- define "grpc-operator.peersLabels" -}}
{{- set (include "grpc-operator.labels" . | fromYaml) "app.kubernetes.io/component" "peers" | toYaml }}
{{- end }}

{{- define "grpc-operator.crdMetadata" -}}
{{- $annotations := merge (ternary (dict "helm.sh/resource-policy" "keep") dict .Values.crds.keep) .Values.crds.annotations .Values.commonAnnotations }}
labels:
  {{- include "grpc-operator.labels" . | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "grpc-operator.serviceAccountName" -}}
{{- if not (or .Values.serviceAccount.create .Values.serviceAccount.name) }}
{{- fail "serviceAccount.name: required when serviceAccount.create is false; name an existing ServiceAccount that is the operator's alone" }}
{{- end }}
{{- .Values.serviceAccount.name | default (include "grpc-operator.fullname" .) }}
{{- end }}

{{- define "grpc-operator.image" -}}
{{- $repository := include "grpc-operator.fromRegistry" (list . .Values.image.repository) }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- /* Takes (list $ image): the image in global.imageRegistry, in place of the registry in its name,
which is a first part with a dot or a port. */}}
{{- define "grpc-operator.fromRegistry" -}}
{{- $image := last . }}
{{- with (first .).Values.global.imageRegistry }}
{{- printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $image "") }}
{{- else }}
{{- $image }}
{{- end }}
{{- end }}

{{- define "grpc-operator.imagePullSecrets" -}}
{{- concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq | toYaml }}
{{- end }}

{{- /* Not empty when /metrics has series of each object. */}}
{{- define "grpc-operator.objectMetrics" -}}
{{- $scraped := or .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled }}
{{- if or (eq .Values.metrics.objects "Enabled") (and (eq .Values.metrics.objects "Auto") $scraped .Values.networkPolicy.enabled) }}true{{ end }}
{{- end }}
