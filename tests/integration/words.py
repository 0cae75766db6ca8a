"""Messages of rules that several kinds share."""

DURATION = (
    "must be a duration of whole numbers with the units h, m, s or ms, such as 5s or 1m30s; "
    "0s disables it"
)
HOSTNAME = (
    "must be a hostname in lower case, without a port, such as api.example.com or *.example.com"
)
PERCENTAGE = "must be a whole number or a percentage from 0% to 100%"
QUANTITY = "every value must be a quantity, such as 250m, 2 or 512Mi"
