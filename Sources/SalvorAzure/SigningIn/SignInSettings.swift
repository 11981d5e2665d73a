/// What signing in goes by: the machine's environment, and what the operator has set beside it.
package struct SignInSettings: Sendable {
    package var cloud: AzureEnvironment
    /// The process's environment variables, named as azure-identity names them.
    package var variables: [String: String]
    /// Before `AZURE_TENANT_ID`, and for the Azure CLI.
    package var tenant: String?
    /// For the Azure CLI, where it is signed in with several accounts and no tenant is set.
    package var subscription: String?
    /// Of a managed identity that is assigned to the machine, before `AZURE_CLIENT_ID`.
    package var managedIdentityClient: String?

    package init(
        cloud: AzureEnvironment, variables: [String: String], tenant: String? = nil, subscription: String? = nil,
        managedIdentityClient: String? = nil
    ) {
        self.cloud = cloud
        self.variables = variables
        self.tenant = tenant
        self.subscription = subscription
        self.managedIdentityClient = managedIdentityClient
    }

    /// A variable that is set to something.
    func variable(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

    var tenantForApplications: String? { tenant ?? variable("AZURE_TENANT_ID") }

    /// Where applications sign in: `AZURE_AUTHORITY_HOST`, or the cloud's own place.
    func authority() throws(AzureError) -> String {
        guard let host = variable("AZURE_AUTHORITY_HOST") else { return cloud.authority }
        return try cloud.signingIn(at: host).authority
    }
}

extension SignInSettings: CustomStringConvertible, CustomReflectable {
    package var description: String { "signing in to \(cloud.name)" }

    /// Without the variables, some of which are secrets.
    package var customMirror: Mirror {
        Mirror(self, children: ["cloud": cloud, "tenant": tenant as Any, "subscription": subscription as Any])
    }
}
