package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	userv1 "example.com/users/gen/user/v1"
)

// userService is user.v1.UserService over a repository. Send blocks while a client does not read, so
// that no stream is read faster than it is answered.
type userService struct {
	userv1.UnimplementedUserServiceServer
	users repository
}

func (s *userService) GetUser(ctx context.Context, request *userv1.GetUserRequest) (*userv1.GetUserResponse, error) {
	id, err := checkedID(request.Id)
	if err != nil {
		return nil, err
	}
	user, err := s.users.get(ctx, id)
	if err != nil {
		return nil, err
	}
	return &userv1.GetUserResponse{User: message(user)}, nil
}

func (s *userService) CreateUser(ctx context.Context, request *userv1.CreateUserRequest) (*userv1.CreateUserResponse, error) {
	one, err := newCreation(request)
	if err != nil {
		return nil, err
	}
	made, err := s.users.create(ctx, []creation{one})
	if err != nil {
		return nil, err
	}
	return &userv1.CreateUserResponse{User: message(made[0])}, nil
}

func (s *userService) UpdateUser(ctx context.Context, request *userv1.UpdateUserRequest) (*userv1.UpdateUserResponse, error) {
	id, err := checkedID(request.Id)
	if err != nil {
		return nil, err
	}
	if request.Role != nil {
		if err := checkRole(*request.Role); err != nil {
			return nil, err
		}
	}
	user, err := s.users.update(ctx, id, func(known user) (user, error) {
		return known.changed(time.Now(), request.Email, request.Name, request.GetRole())
	})
	if err != nil {
		return nil, err
	}
	return &userv1.UpdateUserResponse{User: message(user)}, nil
}

func (s *userService) DeleteUser(ctx context.Context, request *userv1.DeleteUserRequest) (*emptypb.Empty, error) {
	id, err := checkedID(request.Id)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.users.delete(ctx, id)
}

func (s *userService) ListUsers(request *userv1.ListUsersRequest, stream grpc.ServerStreamingServer[userv1.User]) error {
	size, err := checkedPageSize(request.PageSize)
	if err != nil {
		return err
	}
	page, err := s.users.list(stream.Context(), size, request.PageToken)
	if err != nil {
		return err
	}
	if page.nextToken != "" {
		stream.SetTrailer(metadata.Pairs("next-page-token", page.nextToken))
	}
	for _, user := range page.users {
		if err := stream.Send(message(user)); err != nil {
			return err
		}
	}
	return nil
}

func (s *userService) BatchCreateUsers(stream grpc.ClientStreamingServer[userv1.CreateUserRequest, userv1.BatchCreateUsersResponse]) error {
	var creations []creation
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(creations) == maxBatchSize {
			return invalid("the batch has more than %d entries; split it", maxBatchSize)
		}
		one, err := newCreation(request)
		if err != nil {
			return at(len(creations), err)
		}
		creations = append(creations, one)
	}
	if err := checkRequestIDs(creations); err != nil {
		return err
	}
	made, err := s.users.create(stream.Context(), creations)
	if err != nil {
		return err
	}
	response := &userv1.BatchCreateUsersResponse{CreatedCount: int32(len(made))}
	for _, user := range made {
		response.Users = append(response.Users, message(user))
	}
	return stream.SendAndClose(response)
}

func (s *userService) SyncUsers(stream grpc.BidiStreamingServer[userv1.SyncUsersRequest, userv1.SyncUsersResponse]) error {
	for position := 0; ; position++ {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		response, err := s.sync(stream.Context(), request.User)
		if err != nil {
			return at(position, err)
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

func (s *userService) sync(ctx context.Context, wanted *userv1.User) (*userv1.SyncUsersResponse, error) {
	if wanted == nil {
		return nil, invalid("user: is missing; send the user to create or update")
	}
	id := ""
	if wanted.Id != "" {
		var err error
		if id, err = checkedID(wanted.Id); err != nil {
			return nil, err
		}
	}
	if wanted.Role != userv1.UserRole_USER_ROLE_UNSPECIFIED {
		if err := checkRole(wanted.Role); err != nil {
			return nil, err
		}
	}
	before, after, err := s.users.upsert(ctx, id, wanted.Email, func(known *user) (user, error) {
		if known == nil {
			return newUser(id, wanted.Email, wanted.Name, wanted.Role, time.Now())
		}
		return known.changed(time.Now(), &wanted.Email, &wanted.Name, wanted.Role)
	})
	if err != nil {
		return nil, err
	}
	done := userv1.SyncStatus_SYNC_STATUS_UPDATED
	if before == nil {
		done = userv1.SyncStatus_SYNC_STATUS_CREATED
	} else if *before == after {
		done = userv1.SyncStatus_SYNC_STATUS_UNCHANGED
	}
	return &userv1.SyncUsersResponse{User: message(after), Status: done}, nil
}

func newCreation(request *userv1.CreateUserRequest) (creation, error) {
	requestID, err := checkedRequestID(request.RequestId)
	if err != nil {
		return creation{}, err
	}
	if request.Role != userv1.UserRole_USER_ROLE_UNSPECIFIED {
		if err := checkRole(request.Role); err != nil {
			return creation{}, err
		}
	}
	made, err := newUser("", request.Email, request.Name, request.Role, time.Now())
	return creation{made, requestID}, err
}

// at names the position of a bad message in its stream; the code stays.
func at(position int, err error) error {
	return fmt.Errorf("entry %d: %w", position, err)
}

func message(user user) *userv1.User {
	return &userv1.User{
		Id:        user.id,
		Email:     user.email,
		Name:      user.name,
		Role:      user.role,
		CreatedAt: timestamppb.New(user.createdAt),
		UpdatedAt: timestamppb.New(user.updatedAt),
	}
}
