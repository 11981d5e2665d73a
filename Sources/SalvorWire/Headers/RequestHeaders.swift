/// What opens a call: which method, for how long, and its metadata (SPEC.md, H-1).
package struct RequestHeaders: Hashable, Sendable {
    /// Fully qualified service, a slash, and the method: `salvor.v1.Health/Check`. No leading slash.
    package var path: String
    /// Nanoseconds from now that the caller is willing to wait; nil for no deadline.
    package var timeoutNanoseconds: UInt64?
    package var metadata: WireMetadata

    package init(path: String, timeoutNanoseconds: UInt64? = nil, metadata: WireMetadata = WireMetadata()) {
        self.path = path
        self.timeoutNanoseconds = timeoutNanoseconds
        self.metadata = metadata
    }
}

/// What ends a call: status code, a message for people, and metadata (SPEC.md, H-7).
package struct Trailers: Hashable, Sendable {
    package var code: StatusCode
    package var message: String
    package var metadata: WireMetadata

    package init(code: StatusCode, message: String = "", metadata: WireMetadata = WireMetadata()) {
        self.code = code
        self.message = message
        self.metadata = metadata
    }
}
