package awsapi

import (
	"context"
	"net/http"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// mostSkew is how far apart clocks may be before a refusal is laid to them; the SDK takes the same.
const mostSkew = 4 * time.Minute

// sameClock has the SDK correct the clock, and ask again, where the refusal does not name it: that of a HEAD has no
// body, and EC2's code is none that the SDK knows. Otherwise a clock that is off by an hour would make of every
// HEAD a denial. Held by TestEveryCallSurvivesEveryFault.
func sameClock(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("xplanSameClock", handleClock), middleware.After)
}

func handleClock(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, md middleware.Metadata, err error,
) {
	out, md, err = next.HandleDeserialize(ctx, in)
	asked, isRequest := in.Request.(*smithyhttp.Request)
	got, isResponse := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !isRequest || !isResponse || asked.Method != http.MethodHead && awsmiddleware.GetServiceID(ctx) != "EC2" {
		return out, md, err
	}
	switch got.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		if skewed(asked.Header.Get("X-Amz-Date"), got.Header.Get("Date")) {
			_ = got.Body.Close() // it says no more than that
			return out, md, &smithy.GenericAPIError{
				Code: "RequestTimeTooSkewed", Message: "the clock of this machine and the server's are far apart", Fault: smithy.FaultClient,
			}
		}
	}
	return out, md, nil
}

// skewed compares when a request was signed with when it was answered. What cannot be read is not skewed.
func skewed(signed, answered string) bool {
	s, err := time.Parse("20060102T150405Z", signed)
	if err != nil {
		return false
	}
	a, err := http.ParseTime(answered)
	return err == nil && a.Sub(s).Abs() > mostSkew
}
