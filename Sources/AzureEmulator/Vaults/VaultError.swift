internal import SalvorJSON

/// Errors of Key Vault's own, which say more in an inner error.
extension ARMError {
    static func vault(_ status: Int, _ code: String, _ message: String, inner: String? = nil) -> ARMError {
        var error = ARMError(status, code, message)
        error.innerCode = inner
        return error
    }

    static func badVaultParameter(_ message: String) -> ARMError { .vault(400, "BadParameter", message) }
}
