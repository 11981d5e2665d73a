/// A request to Azure, whole: its bodies are small, apart from pages of an upload, which come one at a time.
package struct HTTPRequest: Sendable {
    package var method: String
    /// With scheme, host and query.
    package var url: String
    package var headers: [HTTPField]
    package var body: [UInt8]
    /// From sending to the last byte of the answer.
    package var timeout: Duration

    package init(
        _ method: String, _ url: String, headers: [HTTPField] = [], body: [UInt8] = [],
        timeout: Duration = .seconds(60)
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }
}

package struct HTTPField: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: [HTTPField]
    package var body: [UInt8]

    package init(status: Int, headers: [HTTPField] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, in any spelling of its case.
    package subscript(header name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }
}

/// Carries one request and its answer; no retry, no redirect, no token. The seam that tests replace.
package protocol HTTPTransport: Sendable {
    /// - Throws: ``AzureError/Code/unreachable``, ``AzureError/Code/timedOut``, ``AzureError/Code/cancelled``. An answer
    ///   of any status is an answer.
    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse
}
