{{- /* Labels of objects that Prometheus selects by label. Takes (list $ labels); the labels of the chart take precedence. */}}
{{- define "grpc-operator.monitoringLabels" -}}
{{- merge (include "grpc-operator.labels" (first .) | fromYaml) (last .) | toYaml }}
{{- end }}

{{- /* What ServiceMonitor and PodMonitor have in common. Takes (list $ monitor endpointsField). */}}
{{- define "grpc-operator.monitorSpec" -}}
{{- $root := index . 0 }}
{{- $monitor := index . 1 }}
{{- if and $root.Values.metrics.serviceMonitor.enabled $root.Values.metrics.podMonitor.enabled }}
{{- fail "metrics: enable serviceMonitor or podMonitor, not both: every sample would be stored twice" }}
{{- end -}}
selector:
  matchLabels:
    {{- include "grpc-operator.selectorLabels" $root | nindent 4 }}
{{ index . 2 }}:
  - port: http
    path: /metrics
    interval: {{ $monitor.interval }}
    scrapeTimeout: {{ $monitor.scrapeTimeout }}
{{- end }}
