/// What Azure's storage answers when it does not do what was asked: its own form, which is XML.
struct BlobError: Error {
    let status: Int
    let code: String
    let message: String

    init(_ status: Int, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    /// The texts are the emulator's own, without anything of a client's.
    var response: EmulatorResponse {
        let body =
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>\(code)</Code><Message>\(message)</Message></Error>"
        return EmulatorResponse(
            status, headers: [("Content-Type", "application/xml"), ("x-ms-error-code", code)], body: Array(body.utf8))
    }

    static let forbidden = BlobError(
        403, "AuthenticationFailed",
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
            + "including the signature.")
    static let mayNot = BlobError(
        403, "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.")
    static let badPages = BlobError(
        400, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
    static let outside = BlobError(416, "InvalidPageRange", "The page range specified is invalid.")
    static let notHere = BlobError(
        400, "UnsupportedQueryParameter", "The operation is not one that the emulator has for a disk's blob.")
}
