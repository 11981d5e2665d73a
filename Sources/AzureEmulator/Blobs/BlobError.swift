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
        // 304 has no body.
        guard status != 304 else { return EmulatorResponse(status, headers: [("x-ms-error-code", code)]) }
        return EmulatorResponse(
            status, headers: [("Content-Type", "application/xml"), ("x-ms-error-code", code)], body: Array(body.utf8))
    }

    static let forbidden = BlobError(
        403, "AuthenticationFailed",
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
            + "including the signature.")
    static let missing = BlobError(404, "BlobNotFound", "The specified blob does not exist.")
    static let mayNot = BlobError(
        403, "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.")
    static let badHeader = BlobError(
        400, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
    static let outside = BlobError(416, "InvalidPageRange", "The page range specified is invalid.")
    static let beyond = BlobError(
        416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
    static let outOfRangeInput = BlobError(
        400, "OutOfRangeInput", "One of the request inputs is out of range.")
    static let bodyTooLarge = BlobError(
        413, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit.")
    static let damaged = BlobError(
        400, "Md5Mismatch",
        "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
    static let otherVersion = BlobError(
        412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
    static let sameVersion = BlobError(
        304, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
    static let notHere = BlobError(
        400, "UnsupportedQueryParameter", "The operation is not one that the emulator has for a disk's blob.")
}
