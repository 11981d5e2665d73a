package import SalvorJSON

/// A request, as far from HTTP as the emulator needs it.
package struct EmulatorRequest: Sendable {
    package var method: String
    /// Scheme, host and port that the client used, for the links in the answer: `https://localhost:8443`.
    package var base: String
    /// Decoded, beginning with a slash.
    package var path: String
    /// By lower-cased name.
    package var query: [String: String]
    /// By lower-cased name.
    package var headers: [String: String]
    package var body: [UInt8]
    /// The vault at whose own port it came in.
    var vault: ResourceID?

    package init(
        _ method: String, _ path: String, query: [String: String] = [:], headers: [String: String] = [:],
        body: [UInt8] = [], base: String = "https://localhost:8443"
    ) {
        self.method = method
        self.base = base
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The body as a JSON object; an empty body is an empty object.
    /// - Throws: `InvalidRequestContent`.
    package func json() throws(ARMError) -> JSONValue {
        if body.isEmpty { return .object([:]) }
        let parsed: JSONValue
        do throws(RelaxedJSON.Malformed) {
            parsed = try RelaxedJSON.parse(body)
        } catch {
            throw ARMError(
                400, "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: it is no JSON from byte \(error.position) on."
            )
        }
        guard case .object = parsed else {
            throw ARMError(
                400, "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: a JSON object is expected.")
        }
        return parsed
    }
}

package struct EmulatorResponse: Sendable {
    /// What becomes of an answer on its way.
    package enum Fate: Sendable {
        case sent
        /// The client waits for ever.
        case hang
        /// The connection is closed in its place.
        case drop
    }

    /// A body that is too long to be held.
    package struct Stream: Sendable {
        package let bytes: Int64
        /// Bytes of the body, by their place in it.
        package let read: @Sendable (Range<Int64>) async throws(ARMError) -> [UInt8]

        package init(bytes: Int64, read: @escaping @Sendable (Range<Int64>) async throws(ARMError) -> [UInt8]) {
            self.bytes = bytes
            self.read = read
        }
    }

    package var fate = Fate.sent
    /// In the place of ``body``.
    package var stream: Stream?
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(_ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    init(_ status: Int, headers: [(name: String, value: String)], stream: Stream) {
        self.init(status, headers: headers)
        self.stream = stream
    }

    /// What never arrives.
    init(fate: Fate) {
        self.init(503)
        self.fate = fate
    }

    package init(_ status: Int, json: JSONValue, headers: [(name: String, value: String)] = []) {
        self.init(
            status, headers: headers + [("Content-Type", "application/json; charset=utf-8")],
            body: Array(json.text.utf8))
    }

    package init(_ error: ARMError) {
        self.init(
            error.status, json: ["error": error.json],
            headers: error.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    /// The first value of a header.
    package subscript(header name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
