import Foundation
import SalvorAzure
import SalvorJSON
import Synchronization

/// What answers in the place of the network: a request and its number in, an answer out.
final class SignInService: HTTPTransport {
    typealias Answer = @Sendable (HTTPRequest, Int) async throws(AzureError) -> HTTPResponse

    private let answer: Answer
    private let seen = Mutex<[HTTPRequest]>([])

    init(_ answer: @escaping Answer) { self.answer = answer }

    /// Nothing is there.
    static var silent: SignInService {
        SignInService { (_, _) throws(AzureError) in
            throw AzureError(.unreachable, "Nothing is there.", nextStep: "None.")
        }
    }

    var requests: [HTTPRequest] { seen.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        let number = seen.withLock { seen in
            seen.append(request)
            return seen.count
        }
        return try await answer(request, number)
    }
}

extension HTTPResponse {
    static func json(_ status: Int, _ json: JSONValue, headers: [HTTPField] = []) -> HTTPResponse {
        HTTPResponse(status: status, headers: headers, body: json.utf8)
    }

    static func token(_ secret: String, lives seconds: Int64 = 3600) -> HTTPResponse {
        .json(200, ["token_type": "Bearer", "expires_in": .integer(seconds), "access_token": .string(secret)])
    }

    /// A refusal of Microsoft Entra ID.
    static func refusal(_ number: Int, _ text: String = "Refused.", status: Int = 401) -> HTTPResponse {
        .json(
            status,
            [
                "error": "invalid_client", "error_codes": [.integer(Int64(number))],
                "error_description": .string(
                    "AADSTS\(number): \(text) Trace ID: 1f Correlation ID: 2f Timestamp: 2024-07-19 04:09:00Z"),
                "trace_id": "1f", "correlation_id": "2f",
            ])
    }
}

extension HTTPRequest {
    /// The fields of a form, decoded.
    var form: [String: String] { Self.fields(String(decoding: body, as: UTF8.self)) }

    /// The fields of the query, decoded.
    var query: [String: String] { Self.fields(url.split(separator: "?").dropFirst().joined(separator: "?")) }

    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }

    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[String(halves[0])] = halves.count == 2 ? String(halves[1]).removingPercentEncoding : ""
        }
        return fields
    }
}
