// Calls users, products and orders: every kind of call, and what can fail. The targets come from
// the client ConfigMaps: USERS_GRPC_TARGET, USERS_GRPC_SERVICE_CONFIG, and the same for PRODUCTS_
// and ORDERS_. It watches the orders in the end, until SIGTERM or Ctrl-C.
package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	orderv1 "example.com/clients/gen/order/v1"
	productv1 "example.com/clients/gen/product/v1"
	userv1 "example.com/clients/gen/user/v1"
)

const callTime, streamTime, watchTime = 5 * time.Second, 10 * time.Second, time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	channels := map[string]*grpc.ClientConn{}
	for _, prefix := range []string{"USERS_", "PRODUCTS_", "ORDERS_"} {
		channel, err := connect(prefix)
		check(err)
		defer channel.Close()
		channels[prefix] = channel
	}
	users := userv1.NewUserServiceClient(channels["USERS_"])
	orders := orderv1.NewOrderServiceClient(channels["ORDERS_"])
	ada := callUsers(ctx, users)
	streamUsers(ctx, users)
	callShop(ctx, productv1.NewProductServiceClient(channels["PRODUCTS_"]), orders, ada)
	watch(ctx, orders, ada)
	say("end", "watch cancelled, channels closed")
}

func say(step, text string) { fmt.Printf("%-15s%s\n", step, text) }

// check ends the program; a service would return the error instead.
func check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "failed: %s: %s\n", codeName(err), status.Convert(err).Message())
		os.Exit(1)
	}
}

// codeName returns the name that the gRPC specification has for the code of an error.
func codeName(err error) string { return code.Code(status.Code(err)).String() }

// reasons returns the code, and what the google.rpc details say.
func reasons(err error) string {
	var texts []string
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.BadRequest:
			for _, field := range detail.FieldViolations {
				texts = append(texts, field.Field+" "+field.Description)
			}
		case *errdetails.ErrorInfo:
			texts = append(texts, "reason "+detail.Reason)
		}
	}
	slices.Sort(texts)
	return strings.Join(append([]string{codeName(err)}, texts...), ", ")
}

func profile(name string) *userv1.CreateUserRequest {
	email := strings.ToLower(fmt.Sprintf("%s-%s@example.com", name, uuid.NewString()))
	return &userv1.CreateUserRequest{Email: email, Name: name}
}

func callUsers(ctx context.Context, users userv1.UserServiceClient) *userv1.User {
	create := func(request *userv1.CreateUserRequest) *userv1.User {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		answer, err := users.CreateUser(ctx, request)
		check(err)
		return answer.User
	}
	request := profile("Ada")
	request.RequestId = uuid.NewString()
	ada := create(request)
	say("unary", "CreateUser "+request.Name)
	say("safe retry", fmt.Sprintf("the same user: %t", create(request).GetId() == ada.GetId()))

	instances := map[string]int{}
	for range 200 {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		var header metadata.MD
		_, err := users.GetUser(ctx, &userv1.GetUserRequest{Id: ada.GetId()}, grpc.Header(&header))
		cancel()
		check(err)
		instances[strings.Join(header["x-instance"], "")]++
	}
	var shares []string
	for _, name := range slices.Sorted(maps.Keys(instances)) {
		shares = append(shares, fmt.Sprintf("%s %d", name, instances[name]))
	}
	say("round robin", "200 calls: "+strings.Join(shares, ", "))
	return ada
}

func streamUsers(ctx context.Context, users userv1.UserServiceClient) {
	ctx, cancel := context.WithTimeout(ctx, streamTime)
	defer cancel() // also ends a stream that is not read to its end
	batch, err := users.BatchCreateUsers(ctx)
	for _, name := range []string{"Grace", "Edsger"} {
		check(err)
		if err = batch.Send(profile(name)); err == io.EOF {
			break // the server has ended the call: CloseAndRecv returns why
		}
	}
	created, err := batch.CloseAndRecv()
	check(err)
	say("client stream", fmt.Sprintf("BatchCreateUsers %d created", created.CreatedCount))

	sync, err := users.SyncUsers(ctx)
	check(err)
	wanted := &userv1.User{Email: profile("Barbara").Email}
	for _, wanted.Name = range []string{"Barbara", "Barbara", "Liskov"} {
		_ = sync.Send(&userv1.SyncUsersRequest{User: wanted}) // Recv returns what is wrong
		answer, err := sync.Recv()
		check(err)
		say("bidi stream", "SyncUsers "+answer.Status.String())
	}
	check(sync.CloseSend())
	if _, err = sync.Recv(); err != io.EOF {
		check(err)
	}

	page, err := users.ListUsers(ctx, &userv1.ListUsersRequest{PageSize: 2})
	count := -1
	for ; err == nil; count++ {
		_, err = page.Recv()
	}
	if err != io.EOF {
		check(err)
	}
	more := len(page.Trailer()["next-page-token"]) > 0
	say("server stream", fmt.Sprintf("ListUsers %d users, more follow: %t", count, more))
}

func callShop(ctx context.Context, products productv1.ProductServiceClient, orders orderv1.OrderServiceClient, user *userv1.User) {
	ctx, cancel := context.WithTimeout(ctx, callTime) // one deadline for all of these calls
	defer cancel()
	lamp, err := products.CreateProduct(ctx, &productv1.CreateProductRequest{
		Name: "A lamp", Price: &money.Money{CurrencyCode: "EUR", Units: 12}, StockQuantity: 5,
		RequestId: uuid.NewString(),
	})
	check(err)
	id := lamp.Product.Id
	order := func(quantity int32) (*orderv1.CreateOrderResponse, error) {
		return orders.CreateOrder(ctx, &orderv1.CreateOrderRequest{
			UserId: user.GetId(), RequestId: uuid.NewString(),
			Items: []*orderv1.OrderItem{{ProductId: id, Quantity: quantity}},
		})
	}
	placed, err := order(2)
	check(err)
	found, err := products.GetProduct(ctx, &productv1.GetProductRequest{Id: id})
	check(err)
	say("order", fmt.Sprintf("%s, %d reserved", placed.Order.Status, found.Product.ReservedQuantity))
	for _, quantity := range []int32{0, 100} {
		if _, err := order(quantity); err != nil {
			say("error", "CreateOrder "+reasons(err))
		}
	}

	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	stock, err := products.WatchStock(short, &productv1.WatchStockRequest{ProductIds: []string{id}})
	for err == nil {
		var state *productv1.WatchStockResponse
		if state, err = stock.Recv(); err == nil {
			say("deadline", fmt.Sprintf("WatchStock %d in stock", state.StockQuantity))
		}
	}
	say("deadline", "WatchStock "+codeName(err))
}

// watch follows the user's orders until ctx ends. A stream that ends is begun again where it was:
// nothing is lost.
func watch(ctx context.Context, orders orderv1.OrderServiceClient, user *userv1.User) {
	request := &orderv1.WatchOrdersRequest{AfterSequence: new(int64), UserId: user.GetId()}
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, watchTime)
		events, err := orders.WatchOrders(limited, request)
		for err == nil {
			var event *orderv1.WatchOrdersResponse
			if event, err = events.Recv(); err == nil {
				request.AfterSequence = &event.Sequence
				if event.Order != nil {
					say("watch", event.Order.Status.String())
				}
			}
		}
		cancel()
		if c := status.Code(err); ctx.Err() == nil && c != codes.Unavailable && c != codes.DeadlineExceeded {
			check(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
