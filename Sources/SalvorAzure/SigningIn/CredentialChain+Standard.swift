extension CredentialChain {
    /// In the order of azure-identity's default chain: environment, workload identity, managed identity, Azure CLI.
    /// - Parameters:
    ///   - transport: to sign-in endpoints.
    ///   - machine: to the machine's own services: through no proxy.
    static func standard(
        _ settings: SignInSettings, transport: any HTTPTransport, machine: any HTTPTransport, cli: AzureCLI,
        clock: AzureClock
    ) throws(AzureError) -> CredentialChain {
        let kinds = try Kind.wanted(settings.variable("AZURE_TOKEN_CREDENTIALS"))
        var links: [Link] = []
        for kind in kinds {
            do throws(CredentialFailure) {
                switch kind {
                case .environment:
                    links.append(
                        .credential(try EnvironmentCredential.make(settings, transport: transport, clock: clock)))
                case .workloadIdentity:
                    links.append(
                        .credential(try WorkloadIdentityCredential.make(settings, transport: transport, clock: clock)))
                case .managedIdentity:
                    links.append(
                        .credential(try ManagedIdentityCredential.make(settings, transport: machine, clock: clock)))
                case .azureCLI:
                    links.append(
                        .credential(
                            AzureCLICredential(
                                tenant: settings.tenant, subscription: settings.subscription, cli: cli)))
                }
            } catch {
                links.append(.failed(name: kind.name, error))
            }
        }
        return CredentialChain(links)
    }

    private enum Kind: CaseIterable {
        case environment, workloadIdentity, managedIdentity, azureCLI

        var name: String {
            switch self {
            case .environment: EnvironmentCredential.name
            case .workloadIdentity: "workload identity"
            case .managedIdentity: "managed identity"
            case .azureCLI: "Azure CLI"
            }
        }

        /// - Parameter text: as azure-identity reads `AZURE_TOKEN_CREDENTIALS`: a group or the name of one.
        static func wanted(_ text: String?) throws(AzureError) -> [Kind] {
            switch text?.lowercased() {
            case nil: return allCases
            case "prod": return [.environment, .workloadIdentity, .managedIdentity]
            case "dev", "azureclicredential": return [.azureCLI]
            case "environmentcredential": return [.environment]
            case "workloadidentitycredential": return [.workloadIdentity]
            case "managedidentitycredential": return [.managedIdentity]
            default:
                throw AzureError(
                    .badSetting, "AZURE_TOKEN_CREDENTIALS names no way of signing in that Salvor has.",
                    nextStep: "Set it to dev, prod, EnvironmentCredential, WorkloadIdentityCredential, "
                        + "ManagedIdentityCredential or AzureCLICredential, or remove it.")
            }
        }
    }
}
