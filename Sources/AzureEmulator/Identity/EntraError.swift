internal import SalvorJSON

/// What Microsoft Entra ID answers to a client that cannot sign in. Its form is not ARM's.
struct EntraError: Error {
    var status: Int
    /// OAuth's code: `invalid_client`.
    var error: String
    /// The number behind `AADSTS`.
    var number: Int64
    var text: String

    init(_ status: Int, _ error: String, _ number: Int64, _ text: String) {
        self.status = status
        self.error = error
        self.number = number
        self.text = text
    }

    func response(_ now: EmulatorTime, id: String) -> EmulatorResponse {
        EmulatorResponse(
            status,
            json: [
                "error": .string(error),
                "error_description": .string(
                    "AADSTS\(number): \(text) Trace ID: \(id) Correlation ID: \(id) Timestamp: \(now.entraText)"),
                "error_codes": [.integer(number)], "timestamp": .string(now.entraText), "trace_id": .string(id),
                "correlation_id": .string(id),
                "error_uri": .string("https://login.microsoftonline.com/error?code=\(number)"),
            ], headers: [("Cache-Control", "no-store, no-cache")])
    }

    static func missing(_ field: String) -> EntraError {
        EntraError(
            400, "invalid_request", 900_144, "The request body must contain the following parameter: '\(field)'.")
    }

    static func malformedAssertion(_ why: String) -> EntraError {
        EntraError(401, "invalid_client", 50_027, "JWT token is invalid or malformed. \(why)")
    }
}

extension EmulatorTime {
    /// `2024-07-19 04:09:00Z`, as Entra writes it.
    var entraText: String {
        let text = text
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))Z"
    }
}
