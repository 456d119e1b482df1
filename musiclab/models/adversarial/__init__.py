"""GAN losses, divergences, a GAN in the plane, and GANs on two bars of music: lessons 10 and 11."""
