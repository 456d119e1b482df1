"""Models by family, in the order of the lessons; only those that need TensorFlow load it.

Lesson to modules, written by ``python -m scripts.lesson_modules``::

    00  none
    01  none
    02  markov
    03  autoencoders.autoencoder, autoencoders.numpy_autoencoder
    04  autoencoders.autoencoder, autoencoders.numpy_autoencoder, autoencoders.optimisers
    05  autoencoders.autoencoder, autoencoders.elbo, autoencoders.vae
    06  markov, recurrent.backpropagation_through_time, recurrent.melody_model
    07  markov, recurrent.backpropagation_through_time, recurrent.melody_model,
        recurrent.numpy_cells, recurrent.recurrent_stack
    08  recurrent.chord_model, recurrent.four_voices, recurrent.output_heads
    09  recurrent.encoder_decoder, recurrent.sequence_model
    10  adversarial.divergences, adversarial.gan, adversarial.loss_variants,
        adversarial.losses, adversarial.networks, adversarial.ring_gan, autoencoders.vae
    11  adversarial.features, adversarial.gan, adversarial.losses, adversarial.networks
    12  energy.enumeration, energy.partition_function, energy.rbm, energy.rbm_functions
    13  energy.dbn, energy.dbn_bound, energy.enumeration, energy.rbm, energy.rbm_functions,
        energy.softmax_rbm
    14  energy.partition_function, energy.rbm, energy.rbm_functions, energy.rnn_rbm,
        recurrent.chord_model
    15  attention.attention, attention.transformer, recurrent.four_voices
    16  attention.composing, attention.inpainting
    16b  attention.composing, attention.inpainting, autoencoders.vae, beat_chain, embedding,
        recurrent.four_voices
    17  markov, recurrent.four_voices
    18  adversarial.losses, attention.inpainting, sound.note_gan, sound.note_vae
    19  autoencoders.vae, recurrent.four_voices

Module to lessons::

    adversarial.divergences                 10
    adversarial.features                    11
    adversarial.gan                         10, 11
    adversarial.loss_variants               10
    adversarial.losses                      10, 11, 18
    adversarial.networks                    10, 11
    adversarial.ring_gan                    10
    attention.attention                     15
    attention.composing                     16, 16b
    attention.inpainting                    16, 16b, 18
    attention.transformer                   15
    autoencoders.autoencoder                03, 04, 05
    autoencoders.elbo                       05
    autoencoders.numpy_autoencoder          03, 04
    autoencoders.optimisers                 04
    autoencoders.vae                        05, 10, 16b, 19
    beat_chain                              16b
    embedding                               16b
    energy.dbn                              13
    energy.dbn_bound                        13
    energy.enumeration                      12, 13
    energy.partition_function               12, 14
    energy.rbm                              12, 13, 14
    energy.rbm_functions                    12, 13, 14
    energy.rnn_rbm                          14
    energy.softmax_rbm                      13
    markov                                  02, 06, 07, 17
    recurrent.backpropagation_through_time  06, 07
    recurrent.chord_model                   08, 14
    recurrent.encoder_decoder               09
    recurrent.four_voices                   08, 15, 16b, 17, 19
    recurrent.melody_model                  06, 07
    recurrent.numpy_cells                   07
    recurrent.output_heads                  08
    recurrent.recurrent_stack               07
    recurrent.sequence_model                09
    sound.note_gan                          18
    sound.note_vae                          18

Internal, imported by no lesson::

    attention.chord_transformer
    recurrent.accompaniment_model
    recurrent.counterpoint_table
"""
