// Command argocd does what Argo CD does with an object from Git and the live one: it compares them
// with Argo CD's own code, and evaluates a health check with the Lua interpreter of Argo CD.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/util/proto"
)

type object = map[string]any

// Request is read from standard input.
type Request struct {
	// OpenAPI is the answer of /openapi/v2.
	OpenAPI json.RawMessage
	// Manager is the field manager of server-side apply.
	Manager string
	Pairs   []struct{ Config, Live object }
	Health  []struct {
		Script string
		Object object
	}
}

// Answer is written to standard output.
type Answer struct {
	// ClientSide and ServerSide have what Argo CD shows for each pair; null where it is in sync.
	ClientSide, ServerSide []*Difference
	Health                 []object
}

// Difference is an object as it is, and as Argo CD predicts it after a sync.
type Difference struct{ Live, Predicted json.RawMessage }

func main() {
	var request Request
	check(json.NewDecoder(os.Stdin).Decode(&request))
	var answer Answer
	var parser *managedfields.GvkParser
	if len(request.Pairs) > 0 {
		parser = gvkParser(request.OpenAPI)
	}
	for _, pair := range request.Pairs {
		answer.ClientSide = append(answer.ClientSide, compare(pair.Config, pair.Live))
		answer.ServerSide = append(answer.ServerSide, compare(pair.Config, pair.Live,
			diff.WithStructuredMergeDiff(true),
			diff.WithGVKParser(parser),
			diff.WithManager(request.Manager)))
	}
	for _, each := range request.Health {
		answer.Health = append(answer.Health, health(each.Script, each.Object))
	}
	check(json.NewEncoder(os.Stdout).Encode(answer))
}

func compare(config, live object, options ...diff.Option) *Difference {
	result, err := diff.Diff(
		(&unstructured.Unstructured{Object: config}).DeepCopy(),
		(&unstructured.Unstructured{Object: live}).DeepCopy(),
		options...)
	check(err)
	if !result.Modified {
		return nil
	}
	return &Difference{result.NormalizedLive, result.PredictedLive}
}

func gvkParser(document json.RawMessage) *managedfields.GvkParser {
	parsed, err := openapi_v2.ParseDocument(document)
	check(err)
	models, err := proto.NewOpenAPIData(parsed)
	check(err)
	parser, err := managedfields.NewGVKParser(models, false)
	check(err)
	return parser
}

func health(script string, live object) object {
	state := lua.NewState()
	defer state.Close()
	state.SetGlobal("obj", toLua(state, live))
	check(state.DoString(script))
	result, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		log.Fatal("the script returns no table")
	}
	return object{
		"status":  result.RawGetString("status").String(),
		"message": result.RawGetString("message").String(),
	}
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch typed := value.(type) {
	case string:
		return lua.LString(typed)
	case float64:
		return lua.LNumber(typed)
	case bool:
		return lua.LBool(typed)
	case []any:
		table := state.NewTable()
		for _, item := range typed {
			table.Append(toLua(state, item))
		}
		return table
	case object:
		table := state.NewTable()
		for key, item := range typed {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
