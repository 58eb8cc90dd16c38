using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Issues;

public sealed class LinkLabelTests
{
    [Theory]
    [InlineData("https://arxiv.org/abs/2009.06489", "arXiv 2009.06489")]
    [InlineData("https://arxiv.org/abs/2009.06489v2", "arXiv 2009.06489v2")]
    [InlineData("https://arxiv.org/pdf/2009.06489.pdf", "arXiv 2009.06489")]
    [InlineData("https://www.arxiv.org/pdf/2009.06489v12.pdf", "arXiv 2009.06489v12")]
    [InlineData("http://arxiv.org/html/2009.06489/", "arXiv 2009.06489")]
    [InlineData("https://export.arxiv.org/abs/0704.0001", "arXiv 0704.0001")]
    [InlineData("https://arxiv.org/abs/math.GT/0309136", "arXiv math.GT/0309136")]
    [InlineData("https://arxiv.org/pdf/hep-th/9901001v3", "arXiv hep-th/9901001v3")]
    [InlineData("https://arxiv.org/abs/2009.06489?context=cs", "arXiv 2009.06489")]
    [InlineData("https://arxiv.org/list/cs.CL/recent", "arxiv.org")]
    [InlineData("https://arxiv.org/", "arxiv.org")]
    public void Names_an_arXiv_paper(string url, string label) => Assert.Equal(label, LinkLabel.For(url));

    [Theory]
    [InlineData("https://github.com/microsoft/methods2test", "GitHub microsoft/methods2test")]
    [InlineData("https://github.com/NVIDIA/DeepLearningExamples/tree/master/PyTorch/LanguageModeling", "GitHub NVIDIA/DeepLearningExamples")]
    [InlineData("https://www.github.com/a/b.git", "GitHub a/b")]
    [InlineData("https://GitHub.com/a/b.js/", "GitHub a/b.js")]
    [InlineData("https://github.com/a/b#readme", "GitHub a/b")]
    [InlineData("https://github.com/victordibia", "GitHub victordibia")]
    [InlineData("https://github.com/victordibia/", "GitHub victordibia")]
    [InlineData("https://github.com/", "github.com")]
    [InlineData("https://github.com/features/actions", "github.com")]
    [InlineData("https://gist.github.com/a/b", "gist.github.com")]
    public void Names_a_GitHub_repository(string url, string label) => Assert.Equal(label, LinkLabel.For(url));

    [Theory]
    [InlineData("https://www.nature.com/articles/s41586-020-2649-2", "nature.com")]
    [InlineData("https://hardwarelottery.github.io/", "hardwarelottery.github.io")]
    [InlineData("http://example.com:8080/a?b=c", "example.com")]
    [InlineData("https://arxiv.org.example.com/abs/2009.06489", "arxiv.org.example.com")]
    [InlineData("https://notarxiv.org/abs/2009.06489", "notarxiv.org")]
    public void Names_the_host_of_anything_else(string url, string label) => Assert.Equal(label, LinkLabel.For(url));
}
