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
    # Of series of an object, the namespace is that of the object.
    honorLabels: true
{{- end }}

{{- /* Nothing is scraped through a policy that admits nobody. */}}
{{- define "grpc-operator.checkMetricsFrom" -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.metricsFrom) }}
{{- fail "networkPolicy.metricsFrom: required with a monitor; name where Prometheus runs, such as --set 'networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=monitoring', or set networkPolicy.enabled=false" }}
{{- end }}
{{- end }}
