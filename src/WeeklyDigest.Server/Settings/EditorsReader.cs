namespace WeeklyDigest.Server.Settings;

/// <summary>Reads the section Editors.</summary>
internal static class EditorsReader
{
    /// <summary>Who may sign in.</summary>
    public static EditorsSettings Read(SettingsSection section)
    {
        var users = Users(section);
        var service = Service(section.Section("OpenIdConnect"));
        section.Finish();
        return new EditorsSettings(users, service);
    }

    private static List<EditorUser> Users(SettingsSection section)
    {
        var users = new List<EditorUser>();
        foreach (var item in section.Items("Users"))
        {
            var user = new EditorUser(item.Text("Name"), item.Text("PasswordHash", secret: true));
            if (user.Name.Length == 0) item.Problem("Name", "is missing; write the name to sign in with.");
            if (users.Any(other => other.Name.Equals(user.Name, StringComparison.OrdinalIgnoreCase)))
                item.Problem("Name", $"'{user.Name}' is there twice; give each editor a name of their own.");
            if (user.PasswordHash.Length == 0) item.Problem("PasswordHash", "is missing; write the hash that `weeklydigest config hash-password` prints.");
            else if (!IsHash(user.PasswordHash)) item.Problem("PasswordHash", "is not a password's hash; write the one that `weeklydigest config hash-password` prints.");
            item.Finish();
            users.Add(user);
        }
        return users;
    }

    // ASP.NET's password hasher: base64 of a version byte (0 or 1), parameters, salt and key.
    private static bool IsHash(string text)
    {
        Span<byte> bytes = stackalloc byte[256];
        return Convert.TryFromBase64String(text, bytes, out var length) && length >= 49 && bytes[0] <= 1;
    }

    private static OpenIdConnectSettings? Service(SettingsSection section)
    {
        var (authority, client, secret) = (section.Text("Authority"), section.Text("ClientId"), section.Text("ClientSecret", secret: true));
        var emails = section.Texts("Emails");
        section.Finish();
        if (authority.Length + client.Length + secret.Length + emails.Count == 0) return null;
        var valid = Uri.TryCreate(authority, UriKind.Absolute, out var url) && (url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback));
        if (!valid) section.Problem("Authority", "is not an https address; write that of the sign-in service, such as https://login.example.com.");
        if (client.Length == 0) section.Problem("ClientId", "is missing; write the name under which the sign-in service knows this program.");
        if (secret.Length == 0) section.Problem("ClientSecret", "is missing; set it, best in the environment.");
        if (emails.Count == 0) section.Problem("Emails", "is empty, so that nobody could enter; list the editors' addresses.");
        // An empty one would be the address of whoever comes without.
        foreach (var (index, email) in emails.Index())
            if (email.IndexOf('@', StringComparison.Ordinal) < 1) section.Problem($"Emails:{index}", $"'{email}' is not an e-mail address; write one such as ada@example.com, or remove it.");
        return valid ? new OpenIdConnectSettings(url!, client, secret, emails) : null;
    }
}
