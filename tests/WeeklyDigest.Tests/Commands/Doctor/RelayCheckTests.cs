using WeeklyDigest.Server.Commands.Doctor;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Commands.Doctor;

public sealed class RelayCheckTests
{
    [Theory]
    [InlineData(false, "Warning", " Without 8BITMIME, messages with letters beyond ASCII grow.")]
    [InlineData(true, "Ok", "")]
    public async Task A_relay_without_8BITMIME_matters_only_where_messages_are_not_signed(bool signs, string status, string words)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = SmtpAbilities.Pipelining });
        var relay = new RelayOptions { Name = "main", Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None };
        var found = await RelayCheck.RunAsync(relay, signs, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(status, found.Status.ToString());
        Assert.Equal($"'main' (127.0.0.1:{server.Port}) answers in clear; it announces PIPELINING.{words}", found.Message);
    }
}
