package import SalvorCoordinatorCore

extension ProviderError {
    /// What an Azure error means for the workflow.
    package init(_ error: AzureError) {
        let code: Code =
            switch error.code {
            case .notFound: .notFound
            case .conflict: .conflict
            case .timedOut, .throttled: .timedOut
            case .notAllowed, .forbidden: .unsupported
            case .badSetting: .invalidDefinition
            default: .failed
            }
        self.init(code, error.message, nextStep: error.nextStep, cause: error.cause)
    }
}

/// Runs what speaks to Azure; its errors become the seam's.
func providing<Value>(_ body: () async throws(AzureError) -> Value) async throws(ProviderError) -> Value {
    do throws(AzureError) {
        return try await body()
    } catch {
        throw ProviderError(error)
    }
}
