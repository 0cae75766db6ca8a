{{- /* The permissions of the operator for GrpcServices, GrpcGateways and their children: in a
ClusterRole, or in a Role of each watched namespace. */}}
{{- define "grpc-operator.rules" -}}
- apiGroups: [grpc.infera.dev]
  resources: [grpcservices, grpcgateways]
  # list: resync; watch: receive changes.
  verbs: [list, watch]
- apiGroups: [grpc.infera.dev]
  resources: [grpcservices/status, grpcgateways/status]
  # patch: report conditions by server-side apply.
  verbs: [patch]
- apiGroups: [grpc.infera.dev]
  resources: [grpcservices/finalizers, grpcgateways/finalizers]
  # update: own children with blockOwnerDeletion where the admission plugin
  # OwnerReferencesPermissionEnforcement is on.
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  # For every kind of child: get: read one that is not in the cache; list and watch: detect changes
  # by others; create and patch: server-side apply. Kubernetes deletes children with their owner.
  # delete: revisions beyond spec.rollout.revisionHistoryLimit.
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  # delete: those of such revisions.
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [serviceaccounts]
  # get, list, watch, create and patch: as above.
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [configmaps]
  # For the kinds that a change of the spec can end: delete: no longer desired; get, list, watch,
  # create and patch: as above.
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  # list and watch: report in the status why a pod does not start.
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  # list and watch: endpoints for the proxies.
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  # create: report transitions of a GrpcService or GrpcGateway; get and patch: count an Event that
  # happens again.
  verbs: [get, create, patch]
- apiGroups: [""]
  resources: [events]
  # list: of a pod whose containers cannot be created, which its status gives no reason for.
  verbs: [list]
{{- end }}
