internal import SalvorAudit
internal import SalvorJSON

/// A way into one subscription: signed in, with everything that speaks to it.
package struct AzureSession: Sendable {
    package let environment: AzureEnvironment
    package let subscription: String
    package let arm: ARMClient
    package let transport: RoutedTransport
    package let tokens: TokenCache

    package struct Settings: Sendable {
        /// `AzureCloud` and the like; nil for the public one, or for `endpoint`.
        package var cloud: String?
        package var endpoint: String?
        package var authority: String?
        /// PEM file of the authorities to trust instead of the system's.
        package var authorityFile: String?
        package var tenant: String?
        /// nil for `AZURE_SUBSCRIPTION_ID`, or the only one that can be seen.
        package var subscription: String?
        package var variables: [String: String]

        package init(variables: [String: String]) { self.variables = variables }
    }

    /// - Throws: ``AzureError/Code/notSignedIn``, ``AzureError/Code/badSetting``.
    package static func open(_ settings: Settings) async throws(AzureError) -> AzureSession {
        let transport = try RoutedTransport(ProxyRules(settings.variables), authorityFile: settings.authorityFile)
        do throws(AzureError) {
            return try await open(settings, transport)
        } catch {
            await transport.close()
            throw error
        }
    }

    private static func open(_ settings: Settings, _ transport: RoutedTransport) async throws(AzureError)
        -> AzureSession
    {
        var environment: AzureEnvironment
        if let endpoint = settings.endpoint {
            environment = try await .at(endpoint, transport: transport)
        } else {
            environment = try .named(settings.cloud ?? AzureEnvironment.publicCloud.name)
        }
        if let authority = settings.authority { environment = try environment.signingIn(at: authority) }
        let named = settings.subscription ?? settings.variables["AZURE_SUBSCRIPTION_ID"]
        let tokens = try TokenCache(
            SignInSettings(
                cloud: environment, variables: settings.variables, tenant: settings.tenant, subscription: named),
            transport: transport, machine: transport.withoutProxy)
        let arm = ARMClient(
            endpoint: environment.resourceManager, scope: environment.scope, transport: transport, tokens: tokens)
        return AzureSession(
            environment: environment, subscription: try await subscription(named, arm), arm: arm, transport: transport,
            tokens: tokens)
    }

    private static func subscription(_ named: String?, _ arm: ARMClient) async throws(AzureError) -> String {
        if let named, !named.isEmpty {
            guard
                named.utf8.allSatisfy({
                    $0 == UInt8(ascii: "-") || ($0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit)
                })
            else {
                throw AzureError(
                    .badSetting, "“\(printable(named))” is no subscription's id.",
                    nextStep: "Name the id that `az account list` shows, not the name.")
            }
            return named
        }
        let all = try await arm.within(.seconds(60)).list("/subscriptions", .subscriptions)
        let ids = all.compactMap { $0["subscriptionId"]?.string }
        guard ids.count == 1 else {
            let names = all.prefix(10).compactMap { one in
                one["subscriptionId"]?.string.map { "\($0) (\(printable(one["displayName"]?.string ?? "")))" }
            }
            throw AzureError(
                .badSetting,
                ids.isEmpty
                    ? "No subscription can be seen."
                    : "\(ids.count) subscriptions can be seen: \(names.joined(separator: ", ")).",
                nextStep: "Name one with --subscription.")
        }
        return ids[0]
    }

    package func close() async { await transport.close() }
}
